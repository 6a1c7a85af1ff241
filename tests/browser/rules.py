"""What is true of every page and of every answer, wherever a login has come to."""

from collections.abc import Mapping
from typing import Any

from playwright.sync_api import Page, expect

_LOOK = """() => {
  const shown = (element) => element.getClientRects().length > 0;
  const opaque = (element) => {
    for (; element; element = element.parentElement) {
      const colour = getComputedStyle(element).backgroundColor;
      if (!/^(transparent|rgba\\(.*, 0\\))$/.test(colour)) return colour;
    }
    const darkens = getComputedStyle(document.documentElement).colorScheme.includes('dark');
    return darkens && matchMedia('(prefers-color-scheme: dark)').matches ? 'rgb(18,18,18)' : 'rgb(255,255,255)';
  };
  const luminance = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map(Number).map((value) => value / 255)
      .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (element) => {
    const [dark, light] = [getComputedStyle(element).color, opaque(element)].map(luminance).sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const texts = [...document.body.querySelectorAll('*')].filter(shown).filter((element) =>
    [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim()));
  const controls = [...document.querySelectorAll('a[href], button, select, input:not([type=hidden])')].filter(shown);
  const named = (element) => (element.labels?.length ? element.labels[0].textContent : element.textContent).trim();
  const size = (element) => element.getBoundingClientRect();
  return {
    lang: document.documentElement.lang,
    title: document.title,
    headings: [...document.querySelectorAll('h1')].map((heading) => heading.textContent),
    mains: document.querySelectorAll('main').length,
    width: document.documentElement.scrollWidth,
    scripts: document.scripts.length,
    unnamed: controls.filter((control) => !named(control)).map((control) => control.outerHTML),
    small: controls.filter((control) => size(control).height < 44 || size(control).width < 44)
      .map((control) => `${named(control)} ${size(control).width}x${size(control).height}`),
    pale: texts.filter((element) => contrast(element) < 4.5)
      .map((element) => `${element.textContent.trim()} ${contrast(element).toFixed(2)}`),
  };
}"""


def check_page(page: Page, heading: str) -> None:
    """Wait until the page with this heading is shown, and hold it against what all pages have to be.

    WCAG 2.2: 1.4.3 (contrast), 1.4.10 (reflow), 2.4.2 (title), 2.5.5 (targets of 44 px), 3.1.1 (language).
    """
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    seen: dict[str, Any] = page.evaluate(_LOOK)
    assert seen["headings"] == [heading]
    assert heading in seen["title"]
    assert seen["lang"].startswith("en")
    assert seen["mains"] == 1
    assert seen["scripts"] == 0
    assert page.viewport_size is not None
    assert seen["width"] <= page.viewport_size["width"]
    assert (seen["unnamed"], seen["small"], seen["pale"]) == ([], [], [])


def check_headers(headers: Mapping[str, str]) -> None:
    """Hold the headers of one of the functions' answers, a redirect too, against what each of them carries."""
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    policy = {name: sources for name, *sources in map(str.split, headers["content-security-policy"].split(";"))}
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == ["'none'"]
    assert policy["img-src"] == ["data:"]
    (style,) = policy["style-src"]
    assert style.startswith("'sha256-")
    assert "script-src" not in policy
    # Over plain http browsers have to ignore it (RFC 6797 §8.1); it is for https alone.
    assert "strict-transport-security" not in headers
    assert not [name for name in headers if name.startswith("access-control-")]
