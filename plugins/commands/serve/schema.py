"""The OpenAPI 3.0 document of the service, for the model that it serves."""

from __future__ import annotations

from typing import Any

from fas_core import __version__
from fas_core.card import Card
from fas_core.data.image_size import FORMATS
from fas_plugins.commands.serve.limits import Limits

Json = dict[str, Any]

NUMBER, TEXT, COUNT = {"type": "number"}, {"type": "string"}, {"type": "integer", "minimum": 0}
ERRORS = {
    "400": "The form does not fit the model: a modality is missing, or a field or parameter is unknown. Or "
    "the service is not called by the request's Host.",
    "401": "The service asks for a token, and the request does not have it.",
    "403": "The request comes from a page of another origin.",
    "408": "The request did not arrive in time.",
    "413": "The request has too many bytes, or an image too many pixels or too much memory.",
    "415": "The request is not multipart/form-data.",
    "422": "An image is empty, damaged or not an image, or no face was found.",
    "431": "The request has too many headers.",
    "500": "The model's score is not a finite number, or the service failed.",
    "503": "Too many requests are being answered and wait, or this one took too long.",
}


def openapi_document(card: Card, name: str, limits: Limits) -> Json:
    """Return the content of `/openapi.json`.

    Args:
        card: the model's card.
        name: file name of the model.
        limits: size, time and number of requests.
    """
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "fas serve",
            "version": __version__,
            "description": f"Is this face live, or a print, a screen, a mask? Scored by {name}.",
        },
        "paths": {
            "/v1/score": {"post": _score_operation(card, limits)},
            "/v1/model": {
                "get": _get_operation("model", "What the model takes, its threshold and the limits", "Model")
            },
            "/healthz": {"get": _get_operation("health", "Whether the service answers", "Health")},
            "/ready": {"get": _readiness_operation()},
        },
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"token": []}],  # without a token the service asks for none
    }


def _score_operation(card: Card, limits: Limits) -> Json:
    image = {"type": "string", "format": "binary", "minLength": 1}
    form: Json = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            name: image | {"description": f"One image file: {FORMATS}."} for name in card.input.photos
        },
    }
    form |= {"minProperties": 1} if card.input.partial else {"required": list(card.input.photos)}
    errors = {status: _response(text, "Error") for status, text in ERRORS.items()}
    errors["503"]["headers"] = {
        "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}
    }
    return {
        "operationId": "score",
        "summary": "Live, attack or uncertain",
        "description": (
            f"Scores one face. At most {limits.max_bytes:,} bytes, {limits.max_pixels:,} pixels an image, "
            f"{limits.timeout:g} s, {limits.concurrency} requests at once."
        ),
        "parameters": [
            {
                "name": "detect",
                "in": "query",
                "description": "True: find the largest face of the first modality and crop it from all "
                "images. False: the images are cropped faces already. Without it, images that the face fills "
                "are taken as they are, and others are cropped.",
                "schema": {"type": "boolean"},
            }
        ],
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": form}}},
        "responses": {"200": _response("The verdict.", "Verdict"), **errors},
    }


def _get_operation(operation: str, summary: str, schema: str) -> Json:
    return {
        "operationId": operation,
        "summary": summary,
        "responses": {"200": _response(f"{summary}.", schema)},
    }


def _readiness_operation() -> Json:
    operation = _get_operation("ready", "Whether a request would be scored", "Readiness")
    operation["responses"]["503"] = _response("It would be refused.", "Readiness")
    return operation


def _response(description: str, schema: str) -> Json:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": description, "content": content}


def _schemas() -> Json:
    model_info = {
        "file": TEXT | {"description": "File name of the model."},
        "modalities": {"type": "array", "items": TEXT},
        "input_size": COUNT
        | {"description": "Side of the model's input in pixels; images are resized to it."},
        "recipe_digest": TEXT | {"description": "Digest of the recipe that the model was trained with."},
    }
    threshold = {
        "threshold": NUMBER | {"description": "Live when score >= threshold."},
        "policy": TEXT | {"description": "How the threshold was chosen."},
        "note": TEXT
        | {
            "nullable": True,
            "description": "What a reader of the verdict must know of the model, if anything.",
        },
        "reject": _nullable(
            "The scores that are uncertain: low <= score < high. Null where every score has a verdict.",
            low=NUMBER,
            high=NUMBER,
            policy=TEXT | {"description": "How the two were chosen."},
            source=TEXT | {"description": "The scores that they were fitted on; or given."},
        ),
    }
    limit = NUMBER | {"description": "A face further away is novel."}
    box: Json = {"type": "array", "items": NUMBER, "minItems": 4, "maxItems": 4, "nullable": True}
    first_image = "of the first image, turned upright by its EXIF orientation"
    box |= {"description": f"The scored area: x, y, w, h in pixels {first_image}; null for the whole image."}
    return {
        "Verdict": _object_schema(
            score=NUMBER | {"description": "Higher is more live."},
            verdict={"type": "string", "enum": ["live", "attack", "uncertain"]},
            reason=TEXT | {"nullable": True, "description": "Why the verdict is uncertain; else null."},
            **threshold,
            novelty=_nullable(
                "How unlike the training data the face is. Null where the model does not tell.",
                distance=NUMBER | {"description": "Distance to the training data."},
                limit=limit,
                novel={"type": "boolean", "description": "Whether the verdict is a guess."},
            ),
            box=box,
            faces=COUNT | {"nullable": True, "description": "Number of faces found; null without detection."},
            detector=TEXT | {"nullable": True, "description": "The face detector; null without detection."},
            width=COUNT | {"description": f"Width in pixels {first_image}."},
            height=COUNT | {"description": f"Height in pixels {first_image}."},
            model=_object_schema(**model_info),
        ),
        "Model": _object_schema(
            **model_info,
            partial={"type": "boolean", "description": "Whether some of the modalities are enough."},
            **threshold,
            novelty=_nullable(
                "When a face is unlike the training data. Null where the model does not tell.",
                limit=limit,
                quantile=NUMBER | {"description": "The limit is this quantile of the distances of source."},
                source=TEXT | {"description": "The split that the limit was fitted on."},
                samples=COUNT | {"description": "Number of its samples."},
            ),
            max_bytes=COUNT | {"description": "Largest request in bytes."},
            max_pixels=COUNT | {"description": "Largest image in pixels."},
        ),
        "Health": _object_schema(
            status={"type": "string", "enum": ["ok"]},
            busy=COUNT | {"description": "Requests that are being answered."},
            waiting=COUNT | {"description": "Requests that wait for others to end."},
            concurrency=COUNT | {"description": "Maximum number of requests at once."},
        ),
        "Readiness": _object_schema(
            status={"type": "string", "enum": ["ready", "busy", "draining", "no_worker"]}
        ),
        "Error": _object_schema(
            error=TEXT | {"description": "Short code for programs."},
            message=TEXT | {"description": "One line for people."},
            field=TEXT | {"nullable": True, "description": "The modality that the error is about, if any."},
        ),
    }


def _nullable(description: str, **properties: Any) -> Json:
    return _object_schema(**properties) | {"nullable": True, "description": description}


def _object_schema(**properties: Any) -> Json:
    """Return the schema of an object that has all of these properties and no others."""
    return {
        "type": "object",
        "required": list(properties),
        "additionalProperties": False,
        "properties": properties,
    }
