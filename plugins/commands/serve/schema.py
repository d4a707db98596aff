"""The service in OpenAPI 3.0, for the model that it serves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fas_core import __version__
from fas_core.card import Card
from fas_core.data.image_size import FORMATS
from fas_plugins.commands.serve.limits import Limits

Json = dict[str, Any]

NUMBER, TEXT, COUNT = {"type": "number"}, {"type": "string"}, {"type": "integer", "minimum": 0}
REASONS = {
    "400": "The form is not what the model takes: a modality is missing, or a field or parameter is unknown.",
    "408": "The request did not arrive in time.",
    "413": "The request has too many bytes, or an image too many pixels.",
    "415": "The request is not multipart/form-data.",
    "422": "An image is empty, damaged or none, or no face was found.",
    "503": "As many requests as are taken at once are being answered, or this one took too long.",
}


def openapi(card: Card, facts: Mapping[str, Any], limits: Limits) -> Json:
    """The document of `/openapi.json`."""
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "fas serve",
            "version": __version__,
            "description": f"Is this face live, or a print, a screen, a mask? Scored by {facts['file']}.",
        },
        "paths": {
            "/v1/score": {"post": _score(card, limits)},
            "/v1/model": {"get": _get("model", "What to send, and what the answers mean", "Model")},
            "/healthz": {"get": _get("health", "Whether the service answers", "Health")},
        },
        "components": {"schemas": _schemas()},
    }


def _score(card: Card, limits: Limits) -> Json:
    photo = {"type": "string", "format": "binary", "minLength": 1}
    form: Json = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            name: photo | {"description": f"One image file: {FORMATS}."} for name in card.modalities
        },
    }
    form |= {"minProperties": 1} if card.input.partial else {"required": list(card.modalities)}
    refusals = {status: _answer(text, "Error") for status, text in REASONS.items()}
    refusals["503"]["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
    return {
        "operationId": "score",
        "summary": "Live or attack",
        "description": (
            f"Scores one face. At most {limits.max_bytes:,} bytes, {limits.max_pixels:,} pixels an image, "
            f"{limits.timeout:g} s, {limits.concurrency} requests at once."
        ),
        "parameters": [
            {
                "name": "detect",
                "in": "query",
                "description": "Whether to find the face first (the largest, in the first modality) and cut "
                "it out; else the images are faces already.",
                "schema": {"type": "boolean", "default": False},
            }
        ],
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": form}}},
        "responses": {"200": _answer("The verdict.", "Verdict"), **refusals},
    }


def _get(operation: str, summary: str, schema: str) -> Json:
    return {
        "operationId": operation,
        "summary": summary,
        "responses": {"200": _answer(f"{summary}.", schema)},
    }


def _answer(description: str, schema: str) -> Json:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": description, "content": content}


def _schemas() -> Json:
    facts = {
        "file": TEXT,
        "modalities": {"type": "array", "items": TEXT},
        "input_size": COUNT | {"description": "Pixels a side; images of any size are resized to it."},
        "recipe_digest": TEXT | {"description": "Of the recipe that it was trained by."},
    }
    threshold = {
        "threshold": NUMBER | {"description": "Live when score >= threshold."},
        "policy": TEXT | {"description": "What the threshold was chosen by."},
    }
    box = {"type": "array", "items": NUMBER, "minItems": 4, "maxItems": 4, "nullable": True}
    seen = "of the first image, turned upright as its EXIF says"
    return {
        "Verdict": _object(
            score=NUMBER | {"description": "Higher is more live."},
            verdict={"type": "string", "enum": ["live", "attack"]},
            **threshold,
            box=box | {"description": f"What was scored: x, y, w, h in pixels {seen}; null for all of it."},
            faces=COUNT
            | {"nullable": True, "description": "How many were found; null when none were sought."},
            width=COUNT | {"description": f"Pixels {seen}."},
            height=COUNT | {"description": f"Pixels {seen}."},
            model=_object(**facts),
        ),
        "Model": _object(
            **facts,
            partial={"type": "boolean", "description": "Whether some of the modalities are enough."},
            **threshold,
            max_bytes=COUNT,
            max_pixels=COUNT,
        ),
        "Health": _object(status={"type": "string", "enum": ["ok"]}, busy=COUNT, concurrency=COUNT),
        "Error": _object(
            error=TEXT | {"description": "A word for programs."},
            message=TEXT | {"description": "A line for people."},
            field=TEXT | {"nullable": True, "description": "The modality that it is about."},
        ),
    }


def _object(**properties: Any) -> Json:
    """One in which nothing is missing and nothing else is."""
    return {
        "type": "object",
        "required": list(properties),
        "additionalProperties": False,
        "properties": properties,
    }
