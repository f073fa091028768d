"""Forecasts the rows after a window. Usage: forecast.py [base URL] [steps]"""

import json
import os
import sys
from pathlib import Path

import requests

WINDOW = Path(__file__).parent.parent / "window.json"


def forecast(url: str, window: dict, steps: int) -> list[dict]:
    """The next rows; raises SystemExit with the service's own words where it refuses."""
    response = requests.post(f"{url}/predict", json={**window, "inference_length": steps}, timeout=10)
    answer = response.json()
    if not response.ok:
        error = answer["error"]
        sys.exit(f"{response.status_code} {error['code']}: {error['message']} at {error.get('path', 'no element')}")
    return answer["predictions"]


def main() -> None:
    url = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("SERVICE_URL", "http://127.0.0.1:8080")
    steps = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    for row in forecast(url, json.loads(WINDOW.read_text()), steps):
        time, _target = row.pop("ts"), row.pop("value")
        print(time, *(f"{feature}={value}" for feature, value in row.items()))


if __name__ == "__main__":
    main()
