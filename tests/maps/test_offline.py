"""One file that asks nothing of the network."""

import base64
import hashlib
import re

import pytest

from maps.web import offline
from maps.web.offline import UnknownAsset, content_policy, inline_assets, leaflet_file, leaflet_style

PAGE = (
    '<html><head><script src="https://a.example/leaflet@1.9.3/dist/leaflet.js"></script>'
    '<link rel="stylesheet" href="https://a.example/leaflet.css"/></head><body></body></html>'
)


def test_leaflet_is_put_in_as_text_from_the_installed_package():
    page = inline_assets(PAGE)
    assert "a.example" not in page
    assert "sourceMappingURL" not in page
    assert leaflet_file("leaflet.js").read_text(encoding="utf-8")[:200] in page


def test_pictures_of_the_style_are_inside_it():
    addresses = re.findall(r"url\(([^)]*)\)", leaflet_style())
    assert any(a.startswith("data:image/png;base64,") for a in addresses)
    assert all(a.startswith(("data:", "#")) for a in addresses)


@pytest.mark.parametrize(
    "tag",
    [
        '<script src="https://a.example/d3.v4.min.js"></script>',
        '<link rel="stylesheet" href="https://a.example/bootstrap.min.css"/>',
        '<link href="https://a.example/icons.css" rel="stylesheet">',
        '<img src="https://a.example/pixel.png">',
        '<iframe src="https://a.example/"></iframe>',
        "<style>@import 'https://a.example/a.css';</style>",
        "<style>body { background: url(https://a.example/a.png) }</style>",
        '<p style="color: red; background: url(&quot;https://a.example/a.png&quot;)">',
        "<path fill='url(https://a.example/a.svg#b)'/>",
        '<STYLE media="print">@import url(https://a.example/b.css)</STYLE>',
    ],
)
def test_any_other_asset_stops_the_writing(tag):
    with pytest.raises(UnknownAsset, match=r"example|import|url|src|href"):
        inline_assets(PAGE.replace("</head>", tag + "</head>"))


@pytest.mark.parametrize("name", ["url(a)", "@import 'b'", "background: url(https://a.example/c.png)"])
def test_a_name_is_only_a_name(name):
    page = PAGE.replace("</body>", f'<h1 title="{name}">{name}</h1><path fill="url(#own)"/></body>')
    assert name in page and name in inline_assets(page)


def test_a_file_the_package_does_not_have_is_named():
    with pytest.raises(UnknownAsset, match=r"leaflet\.missing"):
        leaflet_file("leaflet.missing")


def test_a_missing_package_is_named_with_what_to_do(monkeypatch):
    monkeypatch.setattr(offline, "PACKAGE", "no-such-package-here")
    with pytest.raises(UnknownAsset, match="pip install no-such-package-here"):
        leaflet_file("leaflet.js")


def test_the_policy_allows_this_pages_scripts_only():
    page = "<html><head><script>let a = 1;</script></head></html>"
    digest = base64.b64encode(hashlib.sha256(b"let a = 1;").digest()).decode()
    policy = content_policy(page)
    assert f"script-src 'sha256-{digest}';" in policy
    assert "default-src 'none'" in policy and "connect-src 'none'" in policy
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "unsafe" not in scripts


def test_the_policy_comes_before_any_script():
    page = offline.offline(PAGE)
    assert page.index("Content-Security-Policy") < page.index("<script>")


def test_a_page_without_head_is_refused():
    with pytest.raises(ValueError, match="head"):
        offline.offline("<html><body></body></html>")
