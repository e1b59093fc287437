"""Write constraints.txt: the versions of this environment that the project needs, and no others.

Run it as ``make lock`` in an environment whose test suite passes.
"""

from __future__ import annotations

import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
HEADER = """\
# The versions that were tested together; `make lock` writes this file.
# torch has no build suffix here, so that the plain CPU build satisfies it too.
"""
BUILD_TOOLS = ["setuptools"]


def needed() -> dict[str, str]:
    """Name -> version of each installed package that pyproject.toml asks for, indirectly too."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    waiting = [*project["dependencies"], *BUILD_TOOLS]
    for extra in project["optional-dependencies"].values():
        waiting += extra
    versions: dict[str, str] = {}
    while waiting:
        requirement = Requirement(waiting.pop())
        extras = ("", *requirement.extras)
        name = canonicalize_name(requirement.name)
        if name in versions or not applies(requirement, extras):
            continue
        distribution = metadata.distribution(requirement.name)
        versions[name] = distribution.version.split("+")[0]
        for text in distribution.requires or []:
            if applies(Requirement(text), extras):
                waiting.append(text)
    return versions


def applies(requirement: Requirement, extras: tuple[str, ...]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in extras)


if __name__ == "__main__":
    lines = [f"{name}=={version}\n" for name, version in sorted(needed().items())]
    (ROOT / "packaging" / "constraints.txt").write_text(HEADER + "".join(lines), "utf-8")
    print(f"packaging/constraints.txt: {len(lines)} packages")
