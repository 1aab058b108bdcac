# SPDX-License-Identifier: AGPL-3.0-or-later
"""The demo's pictures, drawn by code: landscapes and interiors in a few tones, with grain.

What always holds: the same scene, palette and seed give the same pixels; nothing is read or
fetched. Sizes are pixels; a scene draws on a canvas of ``SIZE``.
"""

from __future__ import annotations

import io
import random
import zlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

SIZE = (1200, 800)
Colour = tuple[int, int, int]


class Palette(NamedTuple):
    """Tones from the light of the sky to the darkest foreground, and one of light."""

    sky_high: Colour
    sky_low: Colour
    far: Colour
    near: Colour
    dark: Colour
    light: Colour


PALETTES = {
    "dawn": Palette(
        (118, 132, 152),
        (236, 196, 160),
        (150, 132, 132),
        (84, 78, 88),
        (34, 32, 40),
        (252, 226, 178),
    ),
    "steel": Palette(
        (142, 152, 160),
        (206, 210, 208),
        (150, 158, 162),
        (92, 100, 106),
        (38, 44, 50),
        (238, 238, 230),
    ),
    "paper": Palette(
        (188, 180, 164),
        (228, 220, 202),
        (186, 172, 148),
        (134, 118, 96),
        (62, 54, 46),
        (250, 244, 228),
    ),
    "cold": Palette(
        (124, 148, 164),
        (204, 216, 216),
        (138, 156, 164),
        (76, 96, 108),
        (28, 42, 54),
        (244, 244, 232),
    ),
    "night": Palette(
        (16, 22, 40), (52, 66, 92), (44, 54, 78), (26, 32, 50), (10, 13, 22), (250, 206, 128)
    ),
    "lamp": Palette(
        (52, 36, 30), (138, 92, 56), (112, 76, 50), (72, 48, 38), (28, 20, 20), (252, 214, 146)
    ),
    "snow": Palette(
        (178, 192, 206),
        (236, 238, 240),
        (208, 216, 224),
        (164, 178, 192),
        (78, 92, 108),
        (254, 252, 246),
    ),
}


class Canvas:
    """A picture being drawn: its pixels, tones and its own source of chance."""

    def __init__(self, palette: Palette, seed: int) -> None:
        self.palette = palette
        self.chance = random.Random(seed)  # noqa: S311 - a picture, not a secret
        self.width, self.height = SIZE
        self.image = gradient(palette.sky_high, palette.sky_low)
        self.draw = ImageDraw.Draw(self.image)

    def polygon(self, points: Sequence[tuple[float, float]], fill: Colour) -> None:
        self.draw.polygon(points, fill=fill)

    def box(self, left: float, top: float, width: float, height: float, fill: Colour) -> None:
        self.draw.rectangle((left, top, left + width, top + height), fill=fill)

    def line(self, *points: tuple[float, float], fill: Colour, width: int = 3) -> None:
        self.draw.line(points, fill=fill, width=width, joint="curve")

    def soften(self, radius: float) -> None:
        """Blur all that is drawn so far: it lies further away."""
        self.image = self.image.filter(ImageFilter.GaussianBlur(radius))
        self.draw = ImageDraw.Draw(self.image)

    def glow(self, x: float, y: float, radius: float, strength: float = 0.6) -> None:
        """Light that falls off around a point."""
        mask = Image.new("L", SIZE, 0)
        ImageDraw.Draw(mask).ellipse(
            (x - radius / 2, y - radius / 2, x + radius / 2, y + radius / 2),
            fill=round(255 * strength),
        )
        mask = mask.filter(ImageFilter.GaussianBlur(radius / 3))
        self.image.paste(self.palette.light, mask=mask)
        self.draw = ImageDraw.Draw(self.image)

    def ridge(self, base: float, rise: float, fill: Colour, step: int = 16) -> None:
        """A line of hills: up and down by chance, filled to the bottom."""
        points: list[tuple[float, float]] = [(0, self.height)]
        y, slope = base, 0.0
        for x in range(0, self.width + step, step):
            slope = slope * 0.86 + self.chance.uniform(-1, 1) * rise * 0.12 + (base - y) * 0.02
            y += slope
            points.append((x, y))
        self.polygon([*points, (self.width, self.height)], fill)

    def water(self, horizon: float) -> None:
        """Water below the horizon: what is above it, upside down, dimmed and rippled."""
        depth = int(self.height - horizon)
        above = self.image.crop((0, max(0, int(horizon) - depth), self.width, int(horizon)))
        mirror = ImageOps.flip(above).resize((self.width, depth))
        mirror = mirror.filter(ImageFilter.BoxBlur(6))
        tone = Image.new("RGB", mirror.size, self.palette.near)
        self.image.paste(Image.blend(mirror, tone, 0.34), (0, int(horizon)))
        self.draw = ImageDraw.Draw(self.image)
        for _ in range(190):
            y = horizon + depth * self.chance.random() ** 1.4
            length = (y - horizon) * self.chance.uniform(0.15, 0.7) + 12
            x = self.chance.uniform(-60, self.width)
            pixel = self.image.getpixel(
                (min(self.width - 1, max(0, int(x))), min(int(y), self.height - 1))
            )
            assert isinstance(pixel, tuple)  # noqa: S101 - an RGB image has three
            shift = self.chance.choice((-12, 10, 16))
            tint: Colour = tuple(max(0, min(255, int(c) + shift)) for c in pixel[:3])  # type: ignore[assignment] # three of them
            self.line((x, y), (x + length, y), fill=tint, width=2)


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """A tone between two: ``share`` 0 is the first, 1 the other."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def gradient(top: Colour, bottom: Colour) -> Image.Image:
    """A sky: one tone above running into another below."""
    ramp = Image.linear_gradient("L").resize(SIZE, Image.Resampling.BICUBIC)
    return ImageOps.colorize(ramp, top, bottom)


def picture(scene: str, palette: str, name: str) -> bytes:
    """Draw a scene as JPEG. ``name`` is the seed."""
    canvas = Canvas(PALETTES[palette], zlib.crc32(name.encode()))
    SCENES[scene](canvas)
    out = io.BytesIO()
    _finish(canvas).save(out, "JPEG", quality=88)
    return out.getvalue()


def _finish(canvas: Canvas) -> Image.Image:
    """Grain and darker corners, as film has them."""
    grain = Image.frombytes("L", SIZE, canvas.chance.randbytes(SIZE[0] * SIZE[1]))
    grain = grain.filter(ImageFilter.BoxBlur(0.8)).point(lambda v: 128 + (v - 128) // 4)
    image = ImageChops.overlay(canvas.image, Image.merge("RGB", (grain,) * 3))
    corners = Image.radial_gradient("L").resize(SIZE).point(lambda v: max(0, v - 120) // 2)
    image.paste((0, 0, 0), mask=corners)
    return image


def _hills(c: Canvas) -> None:
    p = c.palette
    c.glow(c.width * 0.7, c.height * 0.28, 150, 0.7)
    for layer in range(5):
        share = layer / 4
        c.ridge(c.height * (0.44 + 0.12 * layer), 42 + 14 * layer, mix(p.far, p.dark, share**1.3))
        if layer < 3:
            c.soften(3 - layer)


def _lake(c: Canvas) -> None:
    p = c.palette
    c.glow(c.width * 0.34, c.height * 0.3, 120, 0.7)
    c.ridge(c.height * 0.4, 50, mix(p.far, p.sky_low, 0.35))
    c.soften(3)
    c.ridge(c.height * 0.47, 34, mix(p.far, p.near, 0.6))
    c.soften(1.5)
    horizon = c.height * 0.58
    c.water(horizon)
    c.box(0, horizon - 4, c.width, 9, mix(p.light, p.sky_low, 0.4))
    c.ridge(c.height * 0.93, 26, mix(p.near, p.dark, 0.7))


def _field(c: Canvas) -> None:
    p = c.palette
    horizon = c.height * 0.45
    c.glow(c.width * 0.5, horizon, 210, 0.5)
    c.ridge(horizon - 14, 16, mix(p.far, p.sky_low, 0.3))
    c.soften(2)
    c.box(0, horizon, c.width, c.height, mix(p.far, p.near, 0.25))
    for row in range(-26, 27):
        x = c.width * 0.5 + row * 16
        foot = c.width * 0.5 + row * 170
        c.polygon(
            [(x - 1, horizon), (x + 2, horizon), (foot + 38, c.height), (foot - 26, c.height)],
            mix(p.near, p.dark, 0.15 + 0.4 * c.chance.random()),
        )
    c.box(c.width * 0.66, horizon - 120, 11, 260, p.dark)


def _town(c: Canvas) -> None:
    p = c.palette
    for depth in range(3):
        tone = mix(p.far, p.dark, 0.25 + depth * 0.36)
        base, x = c.height * (0.64 + 0.15 * depth), -60.0
        while x < c.width:
            width = c.chance.uniform(80, 170) * (1 + depth * 0.3)
            top = base - c.chance.uniform(120, 240) * (1 + depth * 0.15)
            _house(c, (x, top, width), tone, lit=0.16 if depth else 0.05)
            x += width * 0.97
        if depth < 2:
            c.soften(2.4 - depth)


def _house(c: Canvas, place: tuple[float, float, float], tone: Colour, lit: float) -> None:
    x, top, width = place
    c.box(x, top, width, c.height - top, tone)
    c.polygon([(x - 5, top), (x + width / 2, top - width * 0.5), (x + width + 5, top)], tone)
    c.box(x + width * 0.7, top - width * 0.42, width * 0.1, width * 0.3, tone)
    for row in range(4):
        for column in range(3):
            on = c.chance.random() < lit
            fill = c.palette.light if on else mix(tone, c.palette.dark, 0.4)
            c.box(x + width * (0.16 + 0.26 * column), top + 24 + row * 58, width * 0.14, 30, fill)


def _harbour(c: Canvas) -> None:
    p = c.palette
    horizon = c.height * 0.66
    c.glow(c.width * 0.62, horizon, 260, 0.75)
    c.ridge(horizon - 20, 12, mix(p.far, p.sky_low, 0.3))
    c.soften(2.5)
    for crane in range(7):
        near = crane / 6
        x = c.width * (0.05 + 0.14 * crane) + c.chance.uniform(-20, 20)
        _crane(c, x, horizon, 150 + 180 * near, mix(p.near, p.dark, 0.2 + 0.8 * near))
    c.box(0, horizon - 12, c.width, 14, p.dark)
    c.water(horizon)


def _quay(c: Canvas) -> None:
    p = c.palette
    horizon = c.height * 0.62
    c.glow(c.width * 0.3, c.height * 0.36, 170, 0.5)
    c.ridge(horizon - 70, 40, mix(p.far, p.sky_low, 0.2))
    c.soften(2.5)
    for house in range(5):
        place = (c.width * 0.44 + house * 92, horizon - 92 - 14 * (house % 3), 84.0)
        _house(c, place, mix(p.near, p.dark, 0.3 + 0.1 * (house % 3)), lit=0.2)
    for hoist in (0.2, 0.32):
        _crane(c, c.width * hoist, horizon, 130, p.dark)
    c.box(c.width * 0.1, horizon - 12, c.width, 18, p.dark)
    c.water(horizon)


def _crane(c: Canvas, x: float, foot: float, height: float, tone: Colour) -> None:
    top, arm = foot - height, height * 0.82
    c.line((x, foot), (x + height * 0.05, top), fill=tone, width=6)
    c.line((x + height * 0.22, foot), (x + height * 0.17, top), fill=tone, width=6)
    for brace in range(5):
        y = foot - height * brace / 5
        c.line((x, y), (x + height * 0.2, y - height / 5), fill=tone, width=2)
    c.box(x - 2, top - height * 0.07, height * 0.26, height * 0.1, tone)
    tip = (x + arm, top - height * 0.3)
    c.line((x - height * 0.22, top + 4), (x + height * 0.1, top), tip, fill=tone, width=7)
    c.line((x + height * 0.1, top - height * 0.26), tip, fill=tone, width=3)
    c.line((x + height * 0.1, top), (x + height * 0.1, top - height * 0.26), fill=tone, width=5)
    c.line(tip, (tip[0], tip[1] + height * 0.42), fill=tone, width=2)


def _bridge(c: Canvas) -> None:
    p = c.palette
    horizon = c.height * 0.66
    c.ridge(c.height * 0.52, 40, mix(p.far, p.sky_low, 0.4))
    c.soften(3)
    c.ridge(c.height * 0.6, 22, mix(p.far, p.near, 0.5))
    c.soften(1.5)
    deck, tone = c.height * 0.42, mix(p.near, p.dark, 0.7)
    c.box(0, deck, c.width, 18, tone)
    c.box(0, deck + 74, c.width, 9, tone)
    for panel in range(0, c.width + 64, 64):
        c.line((panel, deck + 18), (panel + 64, deck + 78), fill=tone, width=5)
        c.line((panel + 64, deck + 18), (panel, deck + 78), fill=tone, width=3)
    for pier in range(4):
        x = c.width * (0.1 + 0.25 * pier)
        c.polygon([(x, deck + 80), (x + 44, deck + 80), (x + 58, horizon), (x - 14, horizon)], tone)
    c.water(horizon)


def _ship(c: Canvas) -> None:
    p = c.palette
    horizon = c.height * 0.6
    c.glow(c.width * 0.25, c.height * 0.34, 190, 0.5)
    for puff in range(26):
        x, y = c.width * 0.52 + puff * 22, horizon - 128 - puff * 5 + c.chance.uniform(-9, 9)
        r = 9 + puff * 1.5
        c.draw.ellipse(
            (x - r, y - r * 0.6, x + r, y + r * 0.6), fill=mix(p.near, p.sky_low, 0.25 + puff / 38)
        )
    c.soften(8)
    c.water(horizon)
    x = c.width * 0.4
    hull = [
        (x, horizon - 26),
        (x + 250, horizon - 30),
        (x + 228, horizon + 14),
        (x + 22, horizon + 14),
    ]
    c.polygon(hull, p.dark)
    c.box(x + 46, horizon - 58, 150, 32, mix(p.light, p.far, 0.25))
    c.box(x + 66, horizon - 82, 60, 26, mix(p.light, p.far, 0.1))
    c.box(x + 142, horizon - 122, 22, 66, p.dark)
    c.line((x + 30, horizon - 28), (x + 30, horizon - 130), fill=p.dark, width=3)
    for window in range(8):
        c.box(x + 56 + window * 17, horizon - 48, 8, 9, p.near)
    c.line((x - 90, horizon + 20), (x + 330, horizon + 20), fill=mix(p.light, p.near, 0.4), width=3)


def _shelves(c: Canvas) -> None:
    p = c.palette
    c.box(0, 0, c.width, c.height, p.dark)
    for row in range(4):
        top, x = 26 + row * 208, 0.0
        while x < c.width:
            width = c.chance.uniform(22, 64)
            height = c.chance.uniform(138, 178)
            light = 1 - abs(x / c.width - 0.42)
            tone = mix(mix(p.near, p.far, c.chance.random()), p.dark, 0.65 - 0.6 * light)
            tone = mix(tone, p.light, 0.55) if c.chance.random() < 0.06 else tone
            c.box(x, top + 184 - height, width - 3, height, tone)
            c.box(
                x + width * 0.2,
                top + 184 - height * 0.72,
                width * 0.55,
                26,
                mix(tone, p.light, 0.4),
            )
            x += width
        c.box(0, top + 184, c.width, 20, mix(p.near, p.dark, 0.35))
    c.glow(c.width * 0.42, c.height * 0.3, 420, 0.16)


def _window(c: Canvas) -> None:
    p = c.palette
    c.box(0, 0, c.width, c.height, mix(p.dark, p.near, 0.25))
    left, top, width, height = c.width * 0.36, c.height * 0.12, c.width * 0.28, c.height * 0.62
    c.glow(left + width / 2, top + height / 2, 560, 0.42)
    c.box(left - 18, top - 18, width + 36, height + 36, mix(p.near, p.dark, 0.5))
    for pane in range(4):
        x, y = left + (pane % 2) * width / 2, top + (pane // 2) * height / 2
        c.box(x + 5, y + 5, width / 2 - 10, height / 2 - 10, mix(p.light, p.sky_low, 0.14 * pane))
    c.box(left - 40, top + height + 18, width + 80, 20, mix(p.far, p.dark, 0.3))
    c.draw.ellipse((left + 46, top + height - 64, left + 116, top + height + 6), fill=p.dark)
    c.box(left + 74, top + height - 150, 7, 100, p.dark)
    c.polygon(
        [
            (left, c.height),
            (left + width, c.height),
            (left + width * 1.5, c.height),
            (left + width, top + height + 38),
            (left, top + height + 38),
        ],
        mix(p.dark, p.light, 0.12),
    )
    c.soften(1.2)


def _columns(c: Canvas) -> None:
    p = c.palette
    c.box(0, c.height * 0.1, c.width, c.height, mix(p.near, p.far, 0.4))
    c.polygon(
        [(0, c.height * 0.16), (c.width * 0.5, 14), (c.width, c.height * 0.16)],
        mix(p.far, p.light, 0.2),
    )
    c.box(0, c.height * 0.16, c.width, 44, mix(p.far, p.near, 0.4))
    for column in range(6):
        x = c.width * (0.03 + 0.17 * column)
        for slice_ in range(24):
            shade = abs(slice_ / 23 - 0.34)
            tone = mix(mix(p.far, p.light, 0.35), p.dark, shade)
            c.box(x + slice_ * 4.4, c.height * 0.22, 5, c.height * 0.56, tone)
        c.box(x - 10, c.height * 0.21, 126, 16, mix(p.far, p.light, 0.25))
        c.box(x - 10, c.height * 0.77, 126, 16, mix(p.far, p.near, 0.3))
    for step in range(5):
        c.box(0, c.height * 0.79 + step * 38, c.width, 38, mix(p.far, p.dark, 0.12 * step + 0.1))
        c.box(0, c.height * 0.79 + step * 38, c.width, 4, mix(p.far, p.light, 0.3))
    c.soften(0.8)


def _stairs(c: Canvas) -> None:
    p = c.palette
    c.box(0, 0, c.width, c.height, mix(p.near, p.dark, 0.4))
    c.glow(c.width * 0.74, c.height * 0.12, 560, 0.8)
    for step in range(13):
        x, y = c.width * (0.02 + 0.068 * step), c.height * (0.94 - 0.064 * step)
        c.box(x, y, c.width, c.height, mix(p.dark, p.far, step / 14))
        c.box(x, y, c.width, 7, mix(p.far, p.light, step / 13))
    for post in range(13):
        x, y = c.width * (0.05 + 0.068 * post), c.height * (0.94 - 0.064 * post)
        c.line((x, y), (x, y - 170), fill=p.dark, width=6)
    c.line(
        (c.width * 0.02, c.height * 0.77), (c.width * 0.9, c.height * -0.03), fill=p.dark, width=18
    )
    c.soften(1)


def _rails(c: Canvas) -> None:
    p = c.palette
    horizon, middle = c.height * 0.46, c.width * 0.46
    c.glow(middle, horizon, 240, 0.6)
    c.ridge(horizon - 12, 14, mix(p.far, p.sky_low, 0.3))
    c.soften(2.2)
    c.box(0, horizon, c.width, c.height, mix(p.near, p.far, 0.35))
    for sleeper in range(1, 44):
        near = (sleeper / 43) ** 2.4
        y, half = horizon + (c.height - horizon) * near, 6 + 420 * near
        c.box(middle - half, y, half * 2, 2 + 16 * near, mix(p.near, p.dark, 0.7))
    for side in (-1, 1):
        foot = middle + side * 300
        c.polygon(
            [(middle, horizon), (foot - 9, c.height), (foot + 11, c.height)],
            mix(p.light, p.near, 0.2),
        )
    for pole in range(6):
        near = ((pole + 1) / 6) ** 1.8
        x, foot = middle + 30 + 640 * near, horizon + 300 * near
        c.line((x, foot), (x, foot - 420 * near - 20), fill=p.dark, width=max(2, int(9 * near)))
        c.line((x - 40 * near, foot - 380 * near), (x + 40 * near, foot - 380 * near), fill=p.dark)


SCENES: dict[str, Callable[[Canvas], None]] = {
    "bridge": _bridge,
    "columns": _columns,
    "field": _field,
    "harbour": _harbour,
    "hills": _hills,
    "lake": _lake,
    "quay": _quay,
    "rails": _rails,
    "shelves": _shelves,
    "ship": _ship,
    "stairs": _stairs,
    "town": _town,
    "window": _window,
}
