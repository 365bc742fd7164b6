"""Fails in its second task, so that the third never runs."""

from airflow.sdk import dag, task


@dag(dag_id="example_failing", description="Fails on purpose", schedule=None, tags=["example", "gateway"])
def example_failing():
    @task
    def prepare():
        print("prepared")

    @task(retries=0)
    def explode():
        print("about to fail")
        raise RuntimeError("the disk is full")

    @task
    def publish():
        print("never printed")

    prepare() >> explode() >> publish()


example_failing()
