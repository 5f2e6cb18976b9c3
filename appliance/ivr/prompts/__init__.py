"""The prompts: their texts (texts.toml), the rendered files (zh/, en/), the manifest, and the library the call agent asks.

At run time only `catalogue`, `wav` and `library` are imported; `render`, `synth`, `phonemes` and `level` make the files and need
the optional dependency group `prompts`.
"""
