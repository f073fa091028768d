"""Prints the table of a request body, read from stdin, in the forms that pandas writes, and the form that is to be sent."""
import json
import sys
import warnings

import pandas as pd

warnings.simplefilter("ignore")
df = pd.DataFrame(json.load(sys.stdin)["data"])
df["ts"] = pd.to_datetime(df["ts"])
forms = {f"to_json {orient}": df.to_json(orient=orient) for orient in ["columns", "records", "split", "index", "values", "table"]}
forms["to_json iso"] = df.to_json(date_format="iso")
forms["lines"] = df.to_json(orient="records", lines=True)
forms["csv"] = df.to_csv(index=False)
forms["csv with semicolons"] = df.to_csv(sep=";")
forms["csv with tabs"] = df.to_csv(sep="\t", index=False)
forms["csv without a head"] = df.to_csv(index=False, header=False)
forms["data columns"] = json.dumps({"data": json.loads(df.to_json())})
forms["data records"] = json.dumps({"data": json.loads(df.to_json(orient="records"))})
forms["data index"] = json.dumps({"data": json.loads(df.to_json(orient="index"))})
forms["data as text"] = json.dumps({"data": df.to_json()})
forms["encoded twice"] = json.dumps(df.to_json())
columns = df.astype({"ts": str}).to_dict("list")
forms["without data"] = json.dumps(columns)
forms["str"] = str({"data": columns})
forms["with NaN"] = json.dumps({"data": {**columns, "down": [float("nan"), *columns["down"][1:]]}})
forms["epoch"] = json.dumps({"data": {**columns, "ts": json.loads(df["ts"].to_json(orient="values", date_format="epoch"))}})
forms["right"] = json.dumps({"data": columns})
print(json.dumps(forms))
