"""A QR code for a page. Pure."""

import io

import segno


def svg(text: str, module_px: int = 5) -> str:
    """The code as an SVG element of so many pixels a module, quiet zone included, black on white."""
    out = io.BytesIO()
    segno.make_qr(text, error="m").save(out, kind="svg", scale=module_px, border=4, light="#fff", xmldecl=False, svgns=True, nl=False)
    return out.getvalue().decode()
