"""One self-contained page: every asset replaced by its text, and a policy that forbids the network.

Leaflet's own files are read from the installed package django-leaflet (Django is never imported), so
no asset is copied into the repository and none is fetched when a map is opened.
"""

from __future__ import annotations

import base64
import hashlib
import re
from html import unescape
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

PACKAGE = "django-leaflet"
FOLDER = "leaflet/static/leaflet/"

SCRIPT_TAG = re.compile(r'<script\b[^>]*\bsrc="(?P<url>[^"]*)"[^>]*>\s*</script>')
STYLE_TAG = re.compile(r'<link\b[^>]*\brel="stylesheet"[^>]*\bhref="(?P<url>[^"]*)"[^>]*/?>')
INLINE_SCRIPT = re.compile(r"<script>(?P<body>.*?)</script>", re.DOTALL)
CSS_URL = re.compile(r"url\(\s*['\"]?(?P<url>[^)'\"]*)['\"]?\s*\)")
SOURCE_MAP = re.compile(r"/[/*]# sourceMappingURL=\S*(?: \*/)?")
LEFT_OVER = re.compile(
    r"<(?:script|img|iframe|embed|source|video|audio)\b[^>]*\ssrc\s*=|<link\b(?![^>]*href=\"data:)[^>]*>"
)
STYLED = re.compile(
    r"<style\b[^>]*>(?P<sheet>.*?)</style>"
    r"|\s(?:style|fill|stroke|filter|mask|clip-path|cursor|marker(?:-\w+)?)\s*=\s*(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)')",
    re.DOTALL | re.IGNORECASE,
)
"""Where ``url(...)`` and ``@import`` mean something; anywhere else they are text, such as a school's name."""
IMPORT = re.compile(r"@import\b")


class UnknownAsset(ValueError):
    """The page asks for a file that cannot be put into it; it would be fetched from the network."""


def leaflet_file(name: str) -> Path:
    """Where the installed package keeps one of Leaflet's files.

    Parameters
    ----------
    name : str
        Such as ``leaflet.js`` or ``images/layers.png``.

    Raises
    ------
    UnknownAsset
        If the package is not installed or has no such file.
    """
    try:
        listed = files(PACKAGE) or []
    except PackageNotFoundError:
        raise UnknownAsset(
            f"{name}: the package {PACKAGE}, which holds it, is not installed. Run: pip install {PACKAGE}"
        ) from None
    for file in listed:
        if file.as_posix() == FOLDER + name:
            return Path(str(file.locate()))
    raise UnknownAsset(f"{name}: not among the files of {PACKAGE}")


def leaflet_script() -> str:
    """Leaflet's script, without the pointer to its source map."""
    return SOURCE_MAP.sub("", leaflet_file("leaflet.js").read_text(encoding="utf-8"))


def leaflet_style() -> str:
    """Leaflet's style sheet with its few pictures inside."""

    def embed(match: re.Match[str]) -> str:
        url = match["url"]
        if url.startswith(("data:", "#")):
            return match[0]
        picture = base64.b64encode(leaflet_file(url).read_bytes()).decode()
        return f"url(data:image/png;base64,{picture})"

    return CSS_URL.sub(embed, leaflet_file("leaflet.css").read_text(encoding="utf-8"))


ASSETS = {"leaflet.js": leaflet_script, "leaflet.css": leaflet_style}
"""Every asset a page of ours may ask for, by file name."""


def _text_of(url: str) -> str:
    name = url.split("?")[0].rsplit("/", 1)[-1]
    if name not in ASSETS:
        raise UnknownAsset(f"{url}: the map must be one file that asks nothing of the network")
    return ASSETS[name]().replace("\r\n", "\n").replace("\r", "\n")


def inline_assets(html: str) -> str:
    """The page with every linked script and style sheet replaced by its text.

    Parameters
    ----------
    html : str
        As folium and branca render it.

    Returns
    -------
    str

    Raises
    ------
    UnknownAsset
        For any asset other than Leaflet's two files; nothing is left for the browser to fetch.
    """
    html = SCRIPT_TAG.sub(lambda m: f"<script>{_text_of(m['url'])}</script>", html)
    html = STYLE_TAG.sub(lambda m: f"<style>{_text_of(m['url'])}</style>", html)
    code_free = INLINE_SCRIPT.sub("<script></script>", html)
    left = LEFT_OVER.search(code_free)
    if left:
        raise UnknownAsset(f"{left[0][:120]}: the page would ask the network for this")
    for style in STYLED.finditer(code_free):
        text = unescape(next(part for part in style.groups() if part is not None))
        asked = [u[0] for u in CSS_URL.finditer(text) if not u["url"].startswith(("data:", "#"))]
        for address in (*IMPORT.findall(text), *asked):
            raise UnknownAsset(f"{address[:120]}: the style would ask the network for this")
    return html


def content_policy(html: str) -> str:
    """A content security policy that runs this page's own scripts and nothing else.

    Scripts are allowed by the SHA-256 of their text, so code that came in through a name (an
    ``onerror`` handler, another script element) does not run; no address may be contacted.
    """
    hashes = [
        base64.b64encode(hashlib.sha256(m["body"].encode()).digest()).decode()
        for m in INLINE_SCRIPT.finditer(html)
    ]
    scripts = " ".join(f"'sha256-{h}'" for h in hashes) or "'none'"
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data:; "
        "connect-src 'none'; base-uri 'none'; form-action 'none'"
    )


def offline(html: str) -> str:
    """The rendered page as one file: assets as text, the policy first in its head.

    Raises
    ------
    UnknownAsset
        See `inline_assets`.
    ValueError
        If the page has no head to put the policy into.
    """
    html = inline_assets(html.replace("\r\n", "\n"))
    if "<head>" not in html:
        raise ValueError("the page has no <head>: the policy that forbids the network cannot be set")
    meta = f'<meta http-equiv="Content-Security-Policy" content="{content_policy(html)}">'
    icon = '<link rel="icon" href="data:,">'
    return html.replace("<head>", f'<head>\n<meta charset="utf-8">\n{meta}\n{icon}', 1)
