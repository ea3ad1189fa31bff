"""The shape of a policy pack on disk; pydantic checks it once, when the pack is read."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

BasisName = Literal["quoted", "secondary", "assumed"]


class Strict(BaseModel):
    """Unknown keys are errors, and text is never silently turned into numbers."""

    model_config = ConfigDict(extra="forbid", strict=True)


class SourceModel(Strict):
    """Where an excerpt was taken from: file name, its line ranges (1-based, inclusive), hash of the excerpt."""

    file: str
    lines: list[list[int]]
    sha256: str


class DocumentModel(Strict):
    """An official document (or, for ``secondary`` values, the public source) and the excerpt kept of it."""

    key: str
    title: str
    issuer: str | None = None
    issued: date | None = None
    excerpt: str
    source: SourceModel


class ClauseModel(Strict):
    """A clause with the words that say it, verbatim from the excerpt; ``features``: the clause's stable IDs."""

    key: str
    article: str
    document: str
    quote: str
    basis: BasisName = "quoted"
    features: list[str] = Field(default_factory=list)


class OptionModel(Strict):
    """One reading; ``set`` changes pack values by path ``mechanism.list.key.field``."""

    code: str
    label: str
    set: dict[str, Any] = Field(default_factory=dict)


class InterpretationModel(Strict):
    """What the document leaves open. ``kind``: choice (options and a default), required (a fact without
    default), alias or note."""

    id: str
    kind: Literal["choice", "required", "alias", "note"]
    question: str
    reason: str
    confirmed_by: str = ""
    clause: str | None = None
    default: str | None = None
    fact: str | None = None
    option: list[OptionModel] = Field(default_factory=list)


class ColumnModel(Strict):
    """A column or field of an official form, as printed; ``fact``: the input it is, where it is one."""

    key: str
    label: str
    fact: str | None = None
    note: str = ""
    features: list[str] = Field(default_factory=list)


class FormModel(Strict):
    """An official form: its title and its columns or fields in official order."""

    key: str
    title: str
    clause: str
    kind: Literal["table", "form"]
    features: list[str] = Field(default_factory=list)
    column: list[ColumnModel] = Field(default_factory=list)


class RoleModel(Strict):
    """Who does what; ``does``: the document's words for it."""

    key: str
    label: str
    clause: str
    does: str
    features: list[str] = Field(default_factory=list)


class StateModel(Strict):
    """A state an application can be in."""

    key: str
    label: str
    features: list[str] = Field(default_factory=list)


class TransitionModel(Strict):
    """A step from one state to another, the only ones there are. by: the role that takes it."""

    key: str
    label: str
    clause: str
    source: str
    target: str
    by: str | None = None
    reason_required: bool = False
    features: list[str] = Field(default_factory=list)


class RemarkModel(Strict):
    """What a clause says that no mechanism decides: shown to people, with its clause."""

    key: str
    clause: str
    says: str
    features: list[str]


class EntryModel(Strict):
    """An entry of a list, in the document's words. gap: what of it the document at hand does not show."""

    key: str
    label: str = ""
    group: str = ""
    words: str = ""
    gap: str = ""


class LookupModel(Strict):
    """A list the document gives to choose from, in its order and words; what it lacks is marked, never filled in."""

    key: str
    title: str
    clause: str
    features: list[str] = Field(default_factory=list)
    entry: list[EntryModel] = Field(min_length=1)


class VersionModel(Strict):
    """A version of a policy, in force from its first to its last day; undated ones never expire."""

    id: str
    first: date
    last: date | None = None
    dated: bool = True
    extends: str | None = None
    clause: list[ClauseModel] = Field(default_factory=list)
    interpretation: list[InterpretationModel] = Field(default_factory=list)
    mechanism: list[dict[str, Any]] = Field(default_factory=list)
    form: list[FormModel] = Field(default_factory=list)
    role: list[RoleModel] = Field(default_factory=list)
    state: list[StateModel] = Field(default_factory=list)
    transition: list[TransitionModel] = Field(default_factory=list)
    remark: list[RemarkModel] = Field(default_factory=list)
    lookup: list[LookupModel] = Field(default_factory=list)


class PackModel(Strict):
    """One policy."""

    format: Literal["xlcalc.pack/1"]
    id: str
    label: str
    issuer: str
    checked_on: date
    document: list[DocumentModel] = Field(default_factory=list)
    version: list[VersionModel] = Field(min_length=1)
