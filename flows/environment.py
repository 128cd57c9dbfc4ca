"""Settings over which the environment says something: `SOC_STORE`, `SOC_KAFKA__SERVERS` and so on override any key."""

from __future__ import annotations

from typing import Any

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError as JsonError

from detectors.errors import UsageError
from flows.settings import DEEPER, ENVIRONMENT, PREFIX, Settings


class Overridden(Settings, BaseSettings):
    """Every setting of the program, as the environment has it, and otherwise as given.

    Raises:
        UsageError: a variable that has to hold JSON holds none.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter=DEEPER, nested_model_default_partial_update=True
    )

    def __init__(self, **given: Any) -> None:  # noqa: ANN401 - what YAML holds
        try:
            super().__init__(**given)
        except JsonError as error:
            name = str(error).partition('"')[2].partition('"')[0]
            message, fix = (
                f"{PREFIX}{name.upper()} holds no JSON",
                """write a list as ["a"], a map as {"key": "value"}""",
            )
            raise UsageError(message, place=ENVIRONMENT, fix=fix) from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  # the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment override what is given (the file)."""
        return env_settings, init_settings
