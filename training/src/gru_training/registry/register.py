"""Logs a bundle as a run of MLflow and registers it as the next version of its model."""

import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Metric, Param
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_ALREADY_EXISTS, ErrorCode

from gru_training.registry.bundle import FILES, Bundle
from gru_training.registry.client import one_line


def register(client: MlflowClient, bundle: Bundle, name: str, experiment: str) -> ModelVersion:
    """The new version, with tags; its files lie under `model` in the run's artifacts. Throws TrainingError, and then there
    is no new version: it is made last, and the run is marked as failed."""
    with one_line(f"experiment {experiment}"):
        run = client.create_run(_experiment_id(client, experiment), run_name=f"{name} {bundle.manifest['version']}")
    run_id = run.info.run_id
    try:
        with one_line(f"run {run_id}"):
            client.log_batch(run_id, metrics=list(_metrics(bundle.manifest)), params=list(_params(bundle.manifest)))
        for file in FILES:
            with one_line(f"{run.info.artifact_uri}/model/{file}"):
                client.log_artifact(run_id, str(bundle.folder / file), "model")
        with one_line(f"model {name}"):
            _make_model(client, name)
            version = client.create_model_version(name, f"{run.info.artifact_uri}/model", run_id, tags=_tags(bundle))
        with one_line(f"run {run_id}"):
            client.set_terminated(run_id, "FINISHED")
    except BaseException:
        # Where MLflow is what failed, this fails too; the first error is the one to be told.
        with suppress(MlflowException):
            client.set_terminated(run_id, "FAILED")
        raise
    return version


def _experiment_id(client: MlflowClient, name: str) -> str:
    known = client.get_experiment_by_name(name)
    created: str = known.experiment_id if known else client.create_experiment(name)
    return created


def _make_model(client: MlflowClient, name: str) -> None:
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != ErrorCode.Name(RESOURCE_ALREADY_EXISTS):
            raise


def _tags(bundle: Bundle) -> dict[str, str]:
    """What promotion goes by; see docs/reference/promotion-events.md."""
    tags = {
        "sha256": bundle.sha256,
        "bundle_version": bundle.manifest["version"],
        "bundle_run_id": bundle.manifest["run_id"],
    }
    score = bundle.score
    return tags if score is None else {**tags, "score": repr(score.value), "score_metric": score.metric}


def _metrics(manifest: dict[str, Any]) -> Iterator[Metric]:
    now = int(time.time() * 1000)
    for key, value in _leaves(manifest.get("metrics", {})):
        if isinstance(value, int | float):
            yield Metric(key, float(value), now, 0)


def _params(manifest: dict[str, Any]) -> Iterator[Param]:
    fields = ("name", "version", "run_id", "created_at", "architecture", "target", "window", "frequency_seconds", "training")
    for key, value in _leaves({field: manifest[field] for field in fields if field in manifest}):
        yield Param(key, str(value))


def _leaves(tree: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """`{"a": {"b": 1}}` as `a.b`, 1. Lists are left out."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _leaves(value, f"{prefix}.{key}" if prefix else str(key))
    elif not isinstance(tree, list):
        yield prefix, tree
