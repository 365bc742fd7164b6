"""Three tasks in a row, with parameters that carry a JSON Schema. Succeeds."""

import time

from airflow.sdk import Param, dag, task


@dag(
    dag_id="example_etl",
    description="Extracts, transforms and loads made-up numbers",
    schedule=None,
    tags=["example", "gateway"],
    params={
        "rows": Param(10, type="integer", minimum=1, maximum=1000, description="How many rows to make up"),
        "message": Param("hello", type="string", description="What the last task prints"),
    },
)
def example_etl():
    @task
    def extract(params=None):
        print(f"extracting {params['rows']} rows")
        return list(range(params["rows"]))

    @task
    def transform(rows):
        time.sleep(1)
        return sum(rows)

    @task
    def load(total, params=None):
        print(f"total {total}: {params['message']}")

    load(transform(extract()))


example_etl()
