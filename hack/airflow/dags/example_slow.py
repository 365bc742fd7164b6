"""Sleeps, so that there is time to watch and to cancel it."""

import time

from airflow.sdk import Param, dag, task


@dag(
    dag_id="example_slow",
    description="Sleeps for a while",
    schedule=None,
    tags=["example", "gateway", "slow"],
    params={"seconds": Param(120, type="integer", minimum=0, maximum=3600, description="How long")},
)
def example_slow():
    @task(retries=0)
    def wait(params=None):
        for second in range(params["seconds"]):
            print(f"second {second + 1} of {params['seconds']}", flush=True)
            time.sleep(1)

    wait()


example_slow()
