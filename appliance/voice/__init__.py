"""The box's own voice: `careline voice`, a process of low priority that speaks the texts that staff write, each once, as a file.

Calls never wait for it, and a box without it says everything by phrases and syllables. It sees the store and the prompts, no calls.
"""
