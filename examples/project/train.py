"""Trains the churn model."""

import joblib
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def main() -> None:
    frame = pd.read_csv("data/customers.csv")
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=200))
    model.fit(frame[["age", "months", "calls"]], frame["left"])
    joblib.dump(model, "models/churn.joblib")


if __name__ == "__main__":
    main()
