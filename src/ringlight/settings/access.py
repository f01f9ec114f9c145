"""Options of logging in through another service, and the words for what somebody may do."""

from typing import Annotated, Any, Final, Literal, get_args

from pydantic import Field, field_validator, model_validator

from ringlight.settings.kinds import Area, SecretText, TextList, Week, as_list

__all__ = ["SCOPES", "OidcSettings", "Scope"]

Scope = Literal["view", "talk", "control", "rooms", "admin"]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)


class OidcSettings(Area):
    """OpenID Connect: people log in at a provider, and what they may do here comes from a claim of theirs."""

    issuer: str | None = Field(
        None,
        pattern=r"^https?://[^/\s?#]+[^\s?#]*$",
        description="The provider's address, as it names itself (`https://id.example/realms/home`); empty: nobody logs "
        "in that way.",
    )
    client_id: str | None = Field(None, description="By which the provider knows this server.")
    client_secret: SecretText | None = Field(None, description="What it shares with us; empty for a public client.")
    name: str = Field("your account", description="What the login page calls it, behind the words: Log in with.")
    ask_for: TextList = Field(
        default=["openid", "profile", "email"],
        description="OAuth scopes that are asked for, separated by commas; some providers want `groups` among them.",
    )
    claim: str = Field(
        "groups",
        description="The claim whose values say what somebody may do; a dot leads into it (`realm_access.roles`).",
    )
    scopes: dict[str, Annotated[list[Scope], Field(min_length=1)]] = Field(
        default_factory=dict,
        description='For each value of that claim what it is good for (`family = "view talk"`); `*` is everybody whom '
        "the provider knows. Who has none of these is not let in.",
    )
    session_life: Week = Field(43_200.0, description="Seconds that somebody stays logged in that way.")

    _split = field_validator("ask_for", mode="before")(as_list)

    @field_validator("scopes", mode="before")
    @classmethod
    def _words(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {name: one.replace(",", " ").split() if isinstance(one, str) else one for name, one in value.items()}

    @model_validator(mode="after")
    def _whole(self) -> "OidcSettings":
        if self.issuer is not None and not (self.client_id and self.scopes):
            raise ValueError("with an issuer, `client_id` and `scopes` are needed")
        if self.issuer is not None and "openid" not in self.ask_for:
            raise ValueError("`ask_for` needs openid among them")
        return self
