"""Asks blocks with DuckDB what docs/block-format.md says they hold. usage: duckdb_check.py DATA"""
import sys

import duckdb

blocks = f"'{sys.argv[1]}/*/l0/*.parquet'"
spans, traces = duckdb.sql(f"SELECT count(*), count(DISTINCT trace_id) FROM {blocks}").fetchall()[0]
assert (spans, traces) == (2558, 500), (spans, traces)

by_service = duckdb.sql(f"""
    SELECT "resource.service.name" AS service, count(*) AS spans, count(*) FILTER (status_code = 2) AS errors,
           round(quantile_cont(duration, 0.99) / 1e6, 1) AS p99_ms
    FROM {blocks} GROUP BY service ORDER BY spans DESC LIMIT 5""")
assert len(by_service.fetchall()) == 5
print(by_service)

routes = duckdb.sql(f"""
    SELECT a.str AS route, count(*) AS spans
    FROM (SELECT unnest(span_attributes) AS a FROM {blocks}) WHERE a.key = 'http.route' GROUP BY route ORDER BY route""")
assert ("/api/cart",) in [row[:1] for row in routes.fetchall()]

events = duckdb.sql(f"SELECT count(*) FROM (SELECT unnest(events) AS e FROM {blocks}) WHERE e.name = 'retry'").fetchall()[0]
assert events[0] > 0
print(f"DuckDB reads {spans} spans of {traces} traces")
