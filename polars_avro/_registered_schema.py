"""A version of a subject in a registry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import uuid


@dataclass(frozen=True)
class RegisteredSchema:
    """
    A version of a subject in a registry.

    Attributes
    ----------
    id : int
        The id in the header of a datum.
    schema : str
        The schema as JSON text, with the types that it refers to.
    subject : str
        The subject.
    version : int
        The version of the subject.
    guid : uuid.UUID or None
        The GUID in a message header, if the registry has GUIDs.
    """

    id: int
    schema: str
    subject: str
    version: int
    guid: uuid.UUID | None = None
