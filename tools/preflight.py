"""Say in one sentence why Citeline can't be set up here and what would help; say nothing when it can.

    python tools/preflight.py ENVIRONMENT_MB DOWNLOADS_MB MODELS_MB

The sizes are what has to fit into this folder, the temporary folder and the models' folder, less what the first and
the last hold already. `make` runs this before it makes `.venv`. It has to run on an old Python to say that it is old:
plain syntax, standard library only.
"""

import os
import platform
import subprocess
import sys
import tempfile

SUPPORTED = ((3, 11), (3, 12), (3, 13))
MACHINES = {"Linux": ("x86_64", "aarch64"), "Darwin": ("arm64",)}


def system_problem():
    """The wheels of torch and of the inference engine exist for these systems only."""
    system, machine = platform.system(), platform.machine()
    if machine in MACHINES.get(system, ()):
        return None
    return (
        "Citeline runs on Linux (x86_64, aarch64) and on macOS (arm64), and this is {} on {}: "
        "use one of those, for example in a virtual machine."
    ).format(system, machine)


def python_problem():
    if sys.version_info[:2] in SUPPORTED:
        return None
    problem = "Citeline needs Python 3.11, 3.12 or 3.13, and {} is {}: ".format(
        sys.executable, platform.python_version()
    )
    usable = [name for name in ("python3.13", "python3.12", "python3.11") if _is_complete(name)]
    if usable:
        return problem + "put PYTHON={} before the command, as in `PYTHON={} make run`.".format(usable[0], usable[0])
    return problem + "install one of them and name it, as in `PYTHON=python3.12 make run`."


def venv_problem():
    """Debian and Ubuntu ship Python without the module that puts pip into a new environment."""
    if _is_complete(sys.executable):
        return None
    version = "python{}.{}".format(*sys.version_info[:2])
    remedy = "`sudo apt install {}-venv`".format(version) if os.path.exists("/usr/bin/apt") else "reinstall " + version
    return "Python's modules venv and ensurepip, which make the environment, are missing: {}.".format(remedy)


def disk_problem(environment_mb, downloads_mb, models_mb):
    models = os.path.abspath(_models_folder())
    needs = [
        (os.getcwd(), max(0, environment_mb - _megabytes_in(".venv")), None),
        (tempfile.gettempdir(), downloads_mb, "TMPDIR"),
        (models, max(0, models_mb - _megabytes_in(models)), "RAG_MODELS"),
    ]
    disks = {}
    for folder, megabytes, variable in needs:
        if megabytes:
            disks.setdefault(os.stat(_existing(folder)).st_dev, []).append((folder, megabytes, variable))
    for wanted in disks.values():
        needed = sum(megabytes for _, megabytes, _ in wanted)
        disk = os.statvfs(_existing(wanted[0][0]))
        free = disk.f_bavail * disk.f_frsize // 1000**2
        if free >= needed:
            continue
        movable = " or ".join(variable for _, _, variable in wanted if variable)
        return "The disk that holds {} has {:.1f} GB free and {:.1f} GB are needed: make room{}.".format(
            ", ".join(folder for folder, _, _ in wanted),
            free / 1000.0,
            needed / 1000.0,
            ", or set {} to a folder on another disk".format(movable) if movable else "",
        )
    return None


def _is_complete(python):
    with open(os.devnull, "w") as nowhere:
        try:
            return subprocess.call([python, "-c", "import ensurepip, venv"], stdout=nowhere, stderr=nowhere) == 0  # nosec B603
        except OSError:
            return False


def _models_folder():
    """Where `rag.settings` will look; that module can't be imported before its dependencies are installed."""
    import tomllib  # Python 3.11+, which python_problem has made sure of

    if os.environ.get("RAG_MODELS"):
        return os.environ["RAG_MODELS"]
    try:
        with open("rag.toml", "rb") as file:
            return tomllib.load(file)["models"]
    except (OSError, KeyError, tomllib.TOMLDecodeError):
        home = "~/Library/Caches" if platform.system() == "Darwin" else os.environ.get("XDG_CACHE_HOME") or "~/.cache"
        return os.path.join(os.path.expanduser(home), "citeline", "models")


def _megabytes_in(folder):
    files = (os.path.join(root, name) for root, _, names in os.walk(folder) for name in names)
    return sum(os.path.getsize(file) for file in files if os.path.isfile(file)) // 1000**2


def _existing(folder):
    """The nearest parent that is there already."""
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    return folder


def main():
    problem = system_problem() or python_problem() or venv_problem() or disk_problem(*map(int, sys.argv[1:]))
    if problem:
        sys.exit(problem)


if __name__ == "__main__":
    main()
