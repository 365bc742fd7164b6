"""Belongs to another team: its tag is not the one that the demo's binding covers."""

from airflow.sdk import dag, task


@dag(dag_id="other_team", description="Somebody else's", schedule=None, tags=["other"])
def other_team():
    @task
    def hello():
        print("hello from another team")

    hello()


other_team()
