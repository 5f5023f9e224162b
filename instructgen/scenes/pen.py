"""Draws one thing in the thing's own units, at once into the picture and into the mask of ids."""

from __future__ import annotations

import math
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct

from instructgen.scenes.palette import PAINT, Rgb

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

Point = tuple[float, float]

_STEPS = 6  # straight pieces between two control points of a curve


class Look(Struct, frozen=True):
    """How one thing looks. `shade` is a free number for what captions never speak of (skin, hair, patterns)."""

    colour: str
    pose: str
    variant: str
    shade: int
    is_wrapped_up: bool = False

    @property
    def paint(self) -> Rgb:
        return PAINT[self.colour]


class Frame(Struct, frozen=True):
    """Where a thing's origin (the middle of its foot) lies on the canvas, and how many pixels a unit takes."""

    x_px: float
    y_px: float
    unit_px: float
    is_flipped: bool = False


class Pen:
    """Coordinates are the thing's units, x to the right and y UP from its foot. `ident` 0 leaves the mask alone."""

    def __init__(self, picture: ImageDraw, mask: ImageDraw, frame: Frame, ident: int) -> None:
        self._picture = picture
        self._mask = mask
        self._ident = ident
        self._x_px = frame.x_px
        self._y_px = frame.y_px
        self._unit_px = frame.unit_px
        self._dx = -frame.unit_px if frame.is_flipped else frame.unit_px

    def poly(self, colour: Rgb, *points: Point) -> None:
        """Fill the shape with straight edges."""
        x_px, y_px, dx, unit = self._x_px, self._y_px, self._dx, self._unit_px
        xy = [(x_px + x * dx, y_px - y * unit) for x, y in points]
        self._picture.polygon(xy, fill=colour)
        if self._ident:
            self._mask.polygon(xy, fill=self._ident)

    def blob(self, colour: Rgb, *points: Point) -> None:
        """Fill the smooth shape that runs through the points."""
        self.poly(colour, *_closed_curve(points))

    def oval(self, colour: Rgb, x: float, y: float, rx: float, ry: float) -> None:
        width, height = rx * self._unit_px, ry * self._unit_px
        middle_x, middle_y = self._x_px + x * self._dx, self._y_px - y * self._unit_px
        xy = (middle_x - width, middle_y - height, middle_x + width, middle_y + height)
        self._picture.ellipse(xy, fill=colour)
        if self._ident:
            self._mask.ellipse(xy, fill=self._ident)

    def tilted(self, colour: Rgb, middle: Point, radii: Point, angle_deg: float) -> None:
        """Fill an ellipse turned counter-clockwise by the angle."""
        cos, sin = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
        turned = [(x * radii[0], y * radii[1]) for x, y in _circle()]
        self.poly(colour, *((middle[0] + x * cos - y * sin, middle[1] + x * sin + y * cos) for x, y in turned))

    def wedge(self, colour: Rgb, middle: Point, radii: Point, angles_deg: Point) -> None:
        """Fill a slice of an ellipse, counter-clockwise from the first angle to the second."""
        start, stop = angles_deg
        steps = max(2, round(abs(stop - start) / 15))
        turns = [math.radians(start + (stop - start) * step / steps) for step in range(steps + 1)]
        rim = [(middle[0] + radii[0] * math.cos(a), middle[1] + radii[1] * math.sin(a)) for a in turns]
        self.poly(colour, middle, *rim)

    def rect(self, colour: Rgb, low: Point, high: Point, radius: float = 0.0) -> None:
        """Fill the rectangle between two corners, its own corners rounded by the radius."""
        xs = sorted((self._x_px + low[0] * self._dx, self._x_px + high[0] * self._dx))
        ys = sorted((self._y_px - low[1] * self._unit_px, self._y_px - high[1] * self._unit_px))
        xy = (xs[0], ys[0], xs[1], ys[1])
        rounding = min(radius * self._unit_px, (xs[1] - xs[0]) / 2 - 1, (ys[1] - ys[0]) / 2 - 1)
        if rounding < 1:
            self._picture.rectangle(xy, fill=colour)
            if self._ident:
                self._mask.rectangle(xy, fill=self._ident)
            return
        self._picture.rounded_rectangle(xy, rounding, fill=colour)
        if self._ident:
            self._mask.rounded_rectangle(xy, rounding, fill=self._ident)

    def line(self, colour: Rgb, width: float, *points: Point) -> None:
        """Stroke through the points with round ends; never thinner than a pixel of the canvas."""
        xy = [(self._x_px + x * self._dx, self._y_px - y * self._unit_px) for x, y in points]
        width_px = max(1, round(width * self._unit_px))
        _stroke(self._picture, xy, colour, width_px)
        if self._ident:
            _stroke(self._mask, xy, self._ident, width_px)

    def stroke(self, colour: Rgb, width: float, *points: Point) -> None:
        """Stroke the smooth open curve that runs through the points."""
        self.line(colour, width, *_open_curve(points))


def _stroke(draw: ImageDraw, xy: list[Point], fill: Rgb | int, width_px: int) -> None:
    draw.line(xy, fill=fill, width=width_px)
    if width_px > 3:  # round ends and joints
        r = width_px / 2 - 0.5
        for x, y in xy:
            draw.ellipse((x - r, y - r, x + r, y + r), fill=fill)


@cache
def _circle() -> tuple[Point, ...]:
    turns = [2 * math.pi * step / 28 for step in range(28)]
    return tuple((math.cos(turn), math.sin(turn)) for turn in turns)


def _spline(before: Point, start: Point, stop: Point, after: Point, t: float) -> Point:
    """Return a point of the Catmull-Rom curve between `start` and `stop`, t from 0 to 1."""
    b0 = -0.5 * t + t * t - 0.5 * t**3
    b1 = 1 - 2.5 * t * t + 1.5 * t**3
    b2 = 0.5 * t + 2 * t * t - 1.5 * t**3
    b3 = -0.5 * t * t + 0.5 * t**3
    return (
        b0 * before[0] + b1 * start[0] + b2 * stop[0] + b3 * after[0],
        b0 * before[1] + b1 * start[1] + b2 * stop[1] + b3 * after[1],
    )


@lru_cache(maxsize=1024)
def _closed_curve(points: tuple[Point, ...]) -> tuple[Point, ...]:
    n = len(points)
    return tuple(
        _spline(points[i - 1], points[i], points[(i + 1) % n], points[(i + 2) % n], step / _STEPS)
        for i in range(n)
        for step in range(_STEPS)
    )


@lru_cache(maxsize=1024)
def _open_curve(points: tuple[Point, ...]) -> tuple[Point, ...]:
    padded = (points[0], *points, points[-1])
    pieces = [
        _spline(padded[i], padded[i + 1], padded[i + 2], padded[i + 3], step / _STEPS)
        for i in range(len(points) - 1)
        for step in range(_STEPS)
    ]
    return (*pieces, points[-1])
