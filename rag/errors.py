"""Everything that can go wrong in a way a user should read about.

    RagError
    ├── InputError            what was asked or handed in can't be used (exit status 2)
    │   ├── QuestionError     an empty or over-long question
    │   ├── DocumentError     a file or folder that holds no readable article
    │   ├── SettingsError     a setting with a value that isn't accepted
    │   └── CalibrationError  a file without a calibration, or answers to make none of
    ├── ModelError            a model's files
    │   ├── ModelUnavailable  no place that has them could be reached
    │   └── ModelDamaged      the bytes are not the ones that were published
    ├── LibraryError          the library on disk
    │   ├── LibraryEmpty      nothing has been indexed yet
    │   ├── LibraryBusy       another process is writing to it
    │   ├── LibraryMismatch   made with another embedder, chunker or newer version
    │   ├── LibraryUnwritable read-only, or damaged beyond reading
    │   └── LibraryUnreachable  its database or vector store doesn't answer
    ├── EngineError           the language model could not be loaded or run
    ├── ClusterError          a cluster of workers that can't be reached or used
    ├── LineFull              too many questions wait already
    └── DiskFull              no room left for what was being written

A message has up to three parts, in this order: what was wrong, what would do, the command that mends it.
"""


class RagError(Exception):
    """Base of all errors meant for a user's eyes. `str(error)` is one or two plain sentences."""


class InputError(RagError):
    """What was asked or handed in can't be used."""


class QuestionError(InputError):
    """A question that is empty or too long."""


class DocumentError(InputError):
    """A file or folder that holds no readable article."""


class SettingsError(InputError):
    """A setting whose value isn't accepted."""


class CalibrationError(InputError):
    """A file that holds no calibration that can be used, or answers that none can be made of."""


class ModelError(RagError):
    """Something about a model's files."""


class ModelUnavailable(ModelError):
    """No place that has the model could be reached."""


class ModelDamaged(ModelError):
    """The bytes differ from the published ones."""


class LibraryError(RagError):
    """Something about the library on disk."""


class LibraryEmpty(LibraryError):
    """Nothing has been indexed yet."""


class LibraryBusy(LibraryError):
    """Another process is writing to the library."""


class LibraryMismatch(LibraryError):
    """The library was made with other settings, or by a newer version."""


class LibraryUnwritable(LibraryError):
    """The library's folder can't be written, or its database can't be read."""


class LibraryUnreachable(LibraryError):
    """The database or the vector store that holds the library doesn't answer."""


class EngineError(RagError):
    """The language model could not be loaded or run."""


class ClusterError(RagError):
    """A cluster that can't be reached, or whose workers aren't like this machine."""


class LineFull(RagError):
    """Too many questions wait already, of all clients or of one."""


class DiskFull(RagError):
    """No room left for what was being written."""
