"""Honest evaluation: folds that cannot leak, intervals, controls, results that can be traced."""

from inference.evaluation.controls import (
    LeakVerdict,
    leak_verdict,
    majority_probabilities,
    permute_labels,
    refuse_leak,
)
from inference.evaluation.crossval import OutOfFold, Samples, System, cross_validate, result_row
from inference.evaluation.folds import (
    Fold,
    Groups,
    LeakError,
    LeakyFold,
    Protocol,
    grouped_folds,
    inner_folds,
    make_folds,
    paper_style_folds,
)
from inference.evaluation.intervals import Interval, bootstrap, bootstrap_difference
from inference.evaluation.metrics import METRICS, Scores, score
from inference.evaluation.results import (
    RunRecord,
    digest_files,
    read_results,
    running_command,
    table_text,
    write_results,
)

__all__ = [
    "METRICS",
    "Fold",
    "Groups",
    "Interval",
    "LeakError",
    "LeakVerdict",
    "LeakyFold",
    "OutOfFold",
    "Protocol",
    "RunRecord",
    "Samples",
    "Scores",
    "System",
    "bootstrap",
    "bootstrap_difference",
    "cross_validate",
    "digest_files",
    "grouped_folds",
    "inner_folds",
    "leak_verdict",
    "majority_probabilities",
    "make_folds",
    "paper_style_folds",
    "permute_labels",
    "read_results",
    "refuse_leak",
    "result_row",
    "running_command",
    "score",
    "table_text",
    "write_results",
]
