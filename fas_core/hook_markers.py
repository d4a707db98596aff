"""The marks of hooks: `hookimpl` on a plugin's function, `hookspec` on what `fas_core.hookspecs` declares."""

from __future__ import annotations

from pluggy import HookimplMarker, HookspecMarker

PROJECT = "fas"
hookspec = HookspecMarker(PROJECT)
hookimpl = HookimplMarker(PROJECT)
