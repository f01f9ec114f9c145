"""The Partner API as an OpenAPI document: what the simulator has, of what is documented and what was seen. Pure."""

import re
from functools import cache
from typing import Any

__all__ = ["document", "methods_of"]

Json = dict[str, Any]


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(required: str = "", **properties: Json) -> Json:
    said: Json = {"type": "object", "properties": properties}
    return {**said, "required": required.split()} if required else said


def _list(item: Json) -> Json:
    return {"type": "array", "items": item}


def _resource(kind: str | list[str], **more: Json) -> Json:
    types = [kind] if isinstance(kind, str) else kind
    return _object("type id attributes", type={"enum": types}, id=_TEXT, attributes={"type": "object"}, **more)


def _document(data: Json, *, meta: bool = True) -> Json:
    extra = {"included": _list(_object("type id", type=_TEXT, id=_TEXT)), "links": {"type": "object"}}
    return _object("data meta" if meta else "data", data=data, meta=_object("time", time=_TEXT), **extra)


_TEXT: Json = {"type": "string"}
_WHOLE: Json = {"type": "integer"}
_PARTS = ("status", "capabilities", "configurations", "location")
_SIZE = _object("", width={"type": "integer", "minimum": 1, "maximum": 1920},
                height={"type": "integer", "minimum": 1, "maximum": 1080})  # fmt: skip
_COMPONENTS = {**_list(_object("component_id", component_id=_TEXT)), "minItems": 1, "maxItems": 1}
_TIME = {"type": "integer", "minimum": 0}

SCHEMAS: Json = {
    "Errors": _object("errors", errors=_list(_object("", status={"type": ["string", "integer"]}, title=_TEXT,
                                                       code=_TEXT, detail={"type": ["string", "null"]}))),
    "User": _document(_resource("users"), meta=False),
    "Device": _document(_resource("devices", relationships={"type": "object"})),
    "Devices": _document(_list(_resource("devices", relationships={"type": "object"}))),
    "Part": _document(_resource(["device-status", "device-capabilities", "device-configurations", "locations"])),
    "Locations": _document(_list(_resource("locations"))),
    "Events": _document(_list(_resource("history-events", relationships={"type": "object"})), meta=False),
    "Subscriptions": _document(_list(_resource("subscriptions", relationships={"type": "object"}))),
    "Integration": _object("status", status={"enum": ["awaiting", "completed"]}, account_identifier=_TEXT,
                           updated_at=_TEXT),
    "Confirmation": _object("nonce", nonce={"type": "string", "minLength": 1}, account_identifier=_TEXT),
    "Change": {**_object("", status={"enum": ["awaiting", "completed"]}, account_identifier=_TEXT),
               "minProperties": 1},
    "ClipRequest": _object(
        "timestamp duration", timestamp=_TIME, duration={"type": "integer", "minimum": 1, "maximum": 900_000},
        video_options=_object("", codec={"enum": ["avc"]}, resolution=_SIZE,
                              frame_rate={"type": "integer", "minimum": 1, "maximum": 25}),
        audio_options=_object("", audio_enabled={"type": "boolean"}), components=_COMPONENTS,
    ),
    "StillRequest": _object(
        "type", type={"enum": ["at_timestamp", "latest_in_range"]}, timestamp=_TIME, start_timestamp=_TIME,
        end_timestamp=_TIME, image_options=_object("", format={"enum": ["jpeg", "png"]}, resolution=_SIZE),
        components=_COMPONENTS,
    ),
    "Playback": _object("data", data=_object("attributes", type=_TEXT,
                                              attributes=_object("audio_ref", audio_ref=_TEXT))),
    "Played": _object("data", data=_object("id attributes", id=_TEXT, attributes={"type": "object"})),
    "TokenRequest": _object(
        "grant_type client_id client_secret", grant_type={"enum": ["authorization_code", "refresh_token"]},
        client_id=_TEXT, client_secret=_TEXT, code=_TEXT, code_verifier=_TEXT, refresh_token=_TEXT,
    ),
    "Tokens": _object("access_token refresh_token expires_in token_type", access_token=_TEXT, refresh_token=_TEXT,
                      scope=_TEXT, expires_in=_WHOLE, token_type=_TEXT),
    "TokenError": _object("error", error=_TEXT, error_description=_TEXT),
}  # fmt: skip

_REFUSED = {
    400: "Bad Request", 401: "Invalid Client", 403: "Out of Scope Access", 404: "Not Found", 405: "Method Not Allowed",
    429: "Rate Limit Exceeded", 500: "Internal Server Error", 503: "Unavailable, or the device is offline",
}  # fmt: skip


def _body(schema: str, media_type: str = "application/json") -> Json:
    return {"required": True, "content": {media_type: {"schema": _ref(schema)}}}


def _answers(*given: tuple[int, str, Json | None], more: tuple[int, ...] = ()) -> Json:
    """Return what an operation answers: those given, as status, media type and schema, and all common refusals."""
    errors = {"application/json": {"schema": _ref("Errors")}}
    said: Json = {str(status): {"description": text, "content": errors} for status, text in _REFUSED.items()}
    for status in more:
        said[str(status)] = {"description": "See the reference", "content": errors}
    for status, media_type, schema in given:
        content = {"content": {media_type: {"schema": schema or {}}}} if media_type else {}
        said[str(status)] = {"description": "Success", **content}
    # Some profiles send 401 without a word, and then without a media type.
    said["401"] = {"description": _REFUSED[401]}
    return said


def _get(name: str, summary: str, schema: str, *query: str, more: tuple[int, ...] = ()) -> Json:
    parameters = [{"name": one, "in": "query", "schema": _QUERY[one]} for one in query]
    return {"operationId": name, "summary": summary, "parameters": parameters,
            "responses": _answers((200, "application/json", _ref(schema)), more=more)}  # fmt: skip


_QUERY: Json = {
    "include": {"type": "string"},
    "event_types": {"type": "string", "pattern": r"^(motion(\.(human|vehicle|animal|other_motion))?|on_demand|ding)$"},
    "page[key]": {"type": "string", "format": "date-time"},
    "page[cursor]": {"type": "string", "pattern": "^[0-9]{1,8}$"},
}
_SDP: Json = {"required": True, "content": {"application/sdp": {"schema": {"type": "string"}}}}
_DEVICE = "/v1/devices/{device_id}"
_SESSIONS = f"{_DEVICE}/media/streaming/whep/sessions"
_INTEGRATIONS = "/v1/accounts/me/app-integrations"


def _paths() -> Json:
    integration = (200, "application/json", _ref("Integration"))
    user = _get("user", "Who the account is; in some profiles a bad token is 403 here", "User")
    return {
        "/v1/users/me": {"get": {**user, "responses": {**user["responses"], "403": user["responses"]["401"]}}},
        _INTEGRATIONS: {
            "post": {"operationId": "confirm", "summary": "Confirm a link by its nonce",
                     "requestBody": _body("Confirmation"), "responses": _answers(integration)},
            "patch": {"operationId": "change", "summary": "Complete or pause a link",
                      "requestBody": _body("Change"), "responses": _answers(integration)},
            "delete": {"operationId": "unlink", "summary": "End a link that the app began",
                       "responses": _answers((204, "", None))},
        },
        "/v1/accounts/me/subscriptions": {
            "get": _get("subscriptions", "What is paid for", "Subscriptions", "page[cursor]", more=(422,))
        },
        "/v1/devices": {"get": _get("devices", "All devices", "Devices", "include")},
        _DEVICE: {"get": _get("device", "One device", "Device", "include")},
        **{f"{_DEVICE}/{part}": {"get": _get(part, f"Its {part}", "Part")} for part in _PARTS},
        "/v1/locations": {"get": _get("locations", "Undocumented; in some profiles", "Locations")},
        "/v1/history/devices/{device_id}/events": {
            "get": _get("events", "Its history", "Events", "event_types", "page[key]")
        },
        f"{_DEVICE}/media/video/download": {
            "post": {"operationId": "clip", "summary": "A clip", "requestBody": _body("ClipRequest"),
                     "responses": _answers((200, "video/mp4", None), (206, "video/mp4", None), (301, "", None),
                                           (303, "", None), more=(416, 422, 425))},
        },
        f"{_DEVICE}/media/image/download": {
            "post": {"operationId": "still", "summary": "A picture", "requestBody": _body("StillRequest"),
                     "responses": _answers((303, "", None))},
        },
        f"{_DEVICE}/media/audio/playback": {
            "post": {"operationId": "play", "summary": "Play a slot of a chime", "requestBody": _body("Playback"),
                     "responses": _answers((200, "application/json", _ref("Played")), (204, "", None))},
        },
        _SESSIONS: {
            "post": {"operationId": "watch", "summary": "Open a live view by WHEP", "requestBody": _SDP,
                     "responses": _answers((201, "application/sdp", None), more=(409, 415))},
        },
        f"{_SESSIONS}/{{session_id}}": {
            "delete": {"operationId": "leave", "summary": "End a live view",
                       "responses": _answers((200, "", None), (204, "", None), (410, "", None))},
        },
    }  # fmt: skip


@cache
def document() -> Json:
    """Return the document; who changes it, changes it for all."""
    paths = _paths()
    for path, operations in paths.items():
        named = re.findall(r"{(\w+)}", path)
        for operation in operations.values():
            inside = [{"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
                      for name in named]  # fmt: skip
            operation["parameters"] = [*inside, *operation.get("parameters", ())]
    refused = {"description": "Refused", "content": {"application/json": {"schema": _ref("TokenError")}}}
    granted = {"description": "Success", "content": {"application/json": {"schema": _ref("Tokens")}}}
    token = {"operationId": "token", "summary": "A code or a refresh token for a pair of tokens", "security": [],
             "requestBody": _body("TokenRequest", "application/x-www-form-urlencoded"),
             "responses": {"200": granted, **dict.fromkeys(("400", "401", "405", "503"), refused)}}  # fmt: skip
    return {
        "openapi": "3.1.0",
        "info": {"title": "Ring Partner API, as the simulator has it", "version": "1"},
        "paths": {**paths, "/oauth/token": {"post": token}},
        "components": {"schemas": SCHEMAS, "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
        "security": [{"bearer": []}],
    }


@cache
def _patterns() -> list[tuple[re.Pattern[str], tuple[str, ...]]]:
    return [
        (re.compile(re.sub(r"{\w+}", "[^/]+", path)), tuple(sorted(name.upper() for name in operations)))
        for path, operations in document()["paths"].items()
    ]


def methods_of(path: str) -> tuple[str, ...]:
    """Return the methods that a path has; none where there is no such path."""
    return next((methods for pattern, methods in _patterns() if pattern.fullmatch(path)), ())
