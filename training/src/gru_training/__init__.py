"""Trains a GRU or LSTM forecaster on a regular time series and writes the bundle that the service loads."""
