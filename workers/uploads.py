"""``UploadFile``: a parameter of this type is a file field in the job's form, a file on disk in its body."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from ledger import uploads
from ledger.settings import settings


@dataclass(frozen=True)
class UploadFile:
    """A file that somebody uploaded: ``path`` to read it from, its own ``name``, ``size`` in bytes."""

    path: Path
    name: str
    size: int

    @classmethod
    def from_reference(cls, reference: str) -> Self:
        """The file behind ``upload:<uuid>/<name>``. Raises NotAnUpload or UploadGone, both ValueErrors."""
        path = uploads.path_of(reference, settings().uploads)
        return cls(path, path.name, path.stat().st_size)

    @property
    def reference(self) -> str:
        return uploads.reference_to(self.path.parent.name, self.name)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from_text = core_schema.no_info_after_validator_function(cls.from_reference, core_schema.str_schema())
        return core_schema.json_or_python_schema(
            json_schema=from_text,
            python_schema=core_schema.union_schema([core_schema.is_instance_schema(cls), from_text]),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda file: file.reference),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "format": "upload"}
