"""MLflow's own client, with errors of one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from requests.exceptions import RequestException

from gru_training.errors import TrainingError

# A whole stack of causes is in there when a server is down; the first of them says enough.
_LONGEST = 400


def connect(tracking_uri: str) -> MlflowClient:
    """`tracking_uri`: of MLflow's server, http or https. Nothing is asked yet."""
    parts = urlsplit(tracking_uri)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise TrainingError("the tracking URI must be that of an MLflow server, as http://mlflow:5000")
    if parts.username is not None or parts.password is not None:
        raise TrainingError("no credentials in the tracking URI: set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD")
    return MlflowClient(tracking_uri)


@contextmanager
def one_line(doing: str) -> Iterator[None]:
    """Turns what MLflow, its artifact server or S3 throws into a TrainingError: what was being done, then the cause."""
    try:
        yield
    except (MlflowException, Boto3Error, BotoCoreError, ClientError, RequestException) as error:
        cause = " ".join(str(error).split())
        raise TrainingError(f"{doing}: {cause if len(cause) <= _LONGEST else cause[:_LONGEST] + ' ...'}") from error
