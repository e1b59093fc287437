"""Model cards, and finding, verifying and installing the files that they describe. Torch-free."""

from inference.catalog.card import (
    CARD_SCHEMA,
    FRONT_ENDS,
    Calibration,
    CatalogError,
    DataSource,
    Metric,
    ModelCard,
    ModelFile,
)
from inference.catalog.store import (
    DEFAULT_MODELS,
    InstalledModel,
    ModelFault,
    faults,
    find,
    install,
    installed,
    resolve,
    shipped_dir,
    write_model,
)

__all__ = [
    "CARD_SCHEMA",
    "DEFAULT_MODELS",
    "FRONT_ENDS",
    "Calibration",
    "CatalogError",
    "DataSource",
    "InstalledModel",
    "Metric",
    "ModelCard",
    "ModelFault",
    "ModelFile",
    "faults",
    "find",
    "install",
    "installed",
    "resolve",
    "shipped_dir",
    "write_model",
]
