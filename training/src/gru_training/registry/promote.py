"""Moves the alias to another version, if that one is whole and better."""

import math
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts
from mlflow.entities.model_registry import ModelVersion

from gru_training.errors import TrainingError
from gru_training.registry.bundle import FILES, Bundle, Score, read_bundle
from gru_training.registry.check import Check
from gru_training.registry.client import one_line


class NotBetterError(TrainingError):
    """The candidate does not beat the promoted version, or cannot be compared with it."""


@dataclass(frozen=True)
class Request:
    name: str
    version: str
    alias: str
    force: bool


@dataclass(frozen=True)
class Promotion:
    """What the alias stands on now. `run_id`: MLflow's run that registered the version. `digest`: sha256 of model.onnx.
    `promoted_at`: RFC 3339 with Z."""

    name: str
    version: str
    run_id: str
    digest: str
    promoted_at: str


def promote(client: MlflowClient, request: Request, check: Check) -> Promotion:
    """Throws TrainingError, and then the alias stands where it stood unless the line speaks of tags. The alias is the
    commit: what is written before it takes no effect alone, and what is written after it is put right by promoting the
    same version again."""
    with one_line(f"model {request.name}"):
        candidate = client.get_model_version(request.name, request.version)
        aliases: dict[str, str] = client.get_registered_model(request.name).aliases
    current = aliases.get(request.alias)
    digest = _checked(client, candidate, check).sha256
    again = current == candidate.version
    if not again and current is not None:
        if not request.force:
            with one_line(f"model {request.name}"):
                promoted = client.get_model_version(request.name, current)
            _compare(candidate, promoted)
        _move(client, request, previous_of(request.alias), current)
    if not again:
        _move(client, request, request.alias, candidate.version)
    at = (candidate.tags.get("promoted_at") if again else None) or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    promotion = Promotion(request.name, candidate.version, candidate.run_id, digest, at)
    _tag(client, request.alias, promotion)
    return promotion


def previous_of(alias: str) -> str:
    """The alias of the version that was promoted before."""
    return "previous" if alias == "promoted" else f"previous-{alias}"


def _checked(client: MlflowClient, version: ModelVersion, check: Check) -> Bundle:
    """The version's bundle as it lies in the store: what cannot be fetched, is not what was registered, or would be refused by
    the service is not promoted."""
    title = f"version {version.version} of {version.name}"
    if "sha256" not in version.tags:
        raise TrainingError(f"{title} has no tag sha256: it was not registered by this program")
    with one_line(title):
        source: str = client.get_model_version_download_uri(version.name, version.version)
    if not _is_fetched(source, client.tracking_uri):
        raise TrainingError(f"{title} points at {source}, which is neither in an S3 bucket nor behind this MLflow server")
    with tempfile.TemporaryDirectory() as folder:
        for file in FILES:
            with one_line(f"{title} cannot be read from {source}"):
                download_artifacts(artifact_uri=f"{source}/{file}", dst_path=folder, tracking_uri=client.tracking_uri)
        bundle = read_bundle(Path(folder))
        if bundle.sha256 != version.tags["sha256"]:
            raise TrainingError(
                f"{title} was registered with sha256 {version.tags['sha256']}, its model.onnx now has {bundle.sha256}"
            )
        check.of(bundle.folder, source)
    return bundle


def _is_fetched(source: str, tracking_uri: str) -> bool:
    """Whether the service may fetch from there. Nothing is asked of another server that whoever wrote the address names."""
    scheme, host, *_ = urlsplit(source)
    return scheme == "s3" or (scheme == "mlflow-artifacts" and host in ("", urlsplit(tracking_uri).netloc))


def _compare(candidate: ModelVersion, promoted: ModelVersion) -> None:
    ours, theirs = _score(candidate), _score(promoted)
    ways_out = "--force promotes it all the same"
    if ours is None or theirs is None or ours.metric != theirs.metric:
        raise NotBetterError(
            f"version {candidate.version} ({_words(ours)}) and version {promoted.version}, which is promoted "
            f"({_words(theirs)}), cannot be compared; {ways_out}"
        )
    if ours.value >= theirs.value:
        raise NotBetterError(
            f"version {candidate.version} has {_words(ours)}, which is not lower than the {theirs.value} of version "
            f"{promoted.version}, which is promoted; {ways_out}"
        )


def _score(version: ModelVersion) -> Score | None:
    """None where the tags, which anybody can write, hold no number."""
    metric = version.tags.get("score_metric")
    try:
        value = float(version.tags.get("score", "nan"))
    except ValueError:
        return None
    return Score(metric, value) if metric and math.isfinite(value) else None


def _words(score: Score | None) -> str:
    return "no score" if score is None else f"{score.metric} {score.value}"


def _move(client: MlflowClient, request: Request, alias: str, version: str) -> None:
    with one_line(f"alias {alias} of {request.name}"):
        client.set_registered_model_alias(request.name, alias, version)


def _tag(client: MlflowClient, alias: str, promotion: Promotion) -> None:
    with one_line(f"version {promotion.version} of {promotion.name} is promoted, its tags are not written"):
        client.set_model_version_tag(promotion.name, promotion.version, "promoted_at", promotion.promoted_at)
        for key in ("version", "run_id", "digest", "promoted_at"):
            client.set_registered_model_tag(promotion.name, f"{alias}.{key}", getattr(promotion, key))
