"""An OpenID provider that keeps to the letter, and lies where it is told to; its log-in needs no clicks."""

import base64
import contextlib
import hashlib
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

import httpx2
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from ringlight.http.serving import listen, serving

CLIENT, SECRET = "ringlight", "s3cret: with / and +"


@dataclass
class OwnProvider:
    """What a test may change.

    Attributes:
        about: Claims of who logs in, in the ID token.
        told: Claims at the address for users.
        lies: Claims of the ID token that are replaced.
        signing: The key that signs.
        published: The keys that are shown.
        redirects: Where browsers may be sent.
        secret: Which it takes of us.
        refuses: With what it sends browsers back, in place of a code.
        broken: Answers 503 to everything.
        asked: The paths that were asked for.
    """

    url: str = ""
    about: dict[str, Any] = field(default_factory=lambda: {"sub": "ada", "groups": ["family"]})
    told: dict[str, Any] = field(default_factory=lambda: {"sub": "ada"})
    lies: dict[str, Any] = field(default_factory=dict)
    signing: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    published: list[RSAKey] = field(default_factory=list)
    redirects: set[str] = field(default_factory=set)
    configuration: dict[str, Any] = field(default_factory=dict)
    secret: str = SECRET
    refuses: dict[str, str] = field(default_factory=dict)
    broken: bool = False
    asked: list[str] = field(default_factory=list)
    _codes: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def id_token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            **self.about,
            **self.lies,
        }
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode({"alg": "RS256", "kid": self.signing.kid}, kept, self.signing)

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.middleware("http")
        async def look(request: Request, go_on: Any) -> Response:
            self.asked.append(request.url.path)
            answer: Response = Response(status_code=503) if self.broken else await go_on(request)
            return answer

        @app.get("/.well-known/openid-configuration")
        async def configuration() -> dict[str, Any]:
            named = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
            return {
                "issuer": self.url, **{name: f"{self.url}/{path}" for name, path in named.items()},
                "userinfo_endpoint": f"{self.url}/user", "end_session_endpoint": f"{self.url}/bye",
                **self.configuration,
            }  # fmt: skip

        @app.get("/keys")
        async def keys() -> dict[str, Any]:
            shown: dict[str, Any] = dict(KeySet(list(self.published or [self.signing])).as_dict(private=False))
            return shown

        @app.get("/authorize")
        async def authorize(request: Request) -> Response:
            asked = dict(request.query_params)
            if asked["client_id"] != CLIENT or asked["redirect_uri"] not in self.redirects:
                return Response("unknown client or redirect address", 400)
            assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
            if self.refuses:
                said = {**self.refuses, "state": asked["state"]}
                return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(said)}", 303)
            code = f"code-{len(self._codes)}"
            self._codes[code] = asked
            return RedirectResponse(
                f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}", 303
            )

        @app.post("/token")
        async def token(request: Request) -> Response:
            form = dict(parse_qsl((await request.body()).decode()))
            code, redirect_uri, code_verifier = form["code"], form["redirect_uri"], form["code_verifier"]
            shown = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode().split(":")
            if [unquote(one) for one in shown] != [CLIENT, self.secret]:
                return JSONResponse({"error": "invalid_client"}, 401)
            asked = self._codes.pop(code, None)
            if asked is None:
                return JSONResponse({"error": "invalid_grant"}, 400)
            if redirect_uri != asked["redirect_uri"]:
                return JSONResponse({"error": "invalid_grant", "error_description": "redirect_uri differs"}, 400)
            digest = hashlib.sha256(code_verifier.encode()).digest()
            if base64.urlsafe_b64encode(digest).decode().rstrip("=") != asked["code_challenge"]:
                return JSONResponse({"error": "invalid_grant", "error_description": "PKCE"}, 400)
            return JSONResponse(
                {"access_token": "access", "token_type": "Bearer", "id_token": self.id_token(asked["nonce"])}
            )

        @app.get("/user")
        async def user(request: Request) -> Response:
            good = request.headers.get("authorization") == "Bearer access"
            return JSONResponse(self.told if good else {}, 200 if good else 401)

        return app


@contextlib.asynccontextmanager
async def own_provider() -> AsyncIterator[OwnProvider]:
    provider = OwnProvider()
    async with serving(provider.app(), listen("127.0.0.1", 0)) as running:
        provider.url = running.url.rstrip("/")
        yield provider


async def visit(http: httpx2.AsyncClient) -> httpx2.Response:
    """Go from our log-in to the provider and back, as a browser does; return the last answer of ours."""
    led = await http.get("login/oidc")
    if led.status_code != 303:
        return led
    back = await http.get(led.headers["location"])
    if back.status_code != 303:
        return back
    return await http.get(back.headers["location"], headers={"Sec-Fetch-Site": "cross-site"})
