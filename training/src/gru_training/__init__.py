"""Trains a GRU or LSTM forecaster on a regular time series and writes the bundle that the service loads."""

import os

# From 1.29 on onnxruntime tells its maker of each process and session, unless this is there before it is loaded.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
