"""What all declarations of behaviour are made of."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

Value = str | int | list[str] | list[int]


class Part(BaseModel):
    """A piece of a declaration: nothing unknown in it, and nothing changes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(Part):
    """A text in both languages."""

    en: str
    vi: str

    def get(self, lang: str) -> str:
        return self.vi if lang == "vi" else self.en
