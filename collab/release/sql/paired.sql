-- The difference of two runs. It needs the database in use: after ATTACH, say USE first.

-- the same as collab/evaluation/paired.py: users drawn anew, a thousand times, by the same numbers
CREATE MACRO paired_difference(a, b) AS TABLE
WITH told AS MATERIALIZED (SELECT DISTINCT run_id FROM predictions),
chosen AS MATERIALIZED (
    SELECT x.run_id AS run_a, y.run_id AS run_b, x.dataset AS dataset_a, y.dataset AS dataset_b,
           concat_ws(', ', CASE WHEN x.n_valid = 0 THEN x.run_id END,
                     CASE WHEN y.n_valid = 0 THEN y.run_id END) AS unmeasured,
           concat_ws(', ', CASE WHEN x.run_id NOT IN (FROM told) THEN x.run_id END,
                     CASE WHEN y.run_id NOT IN (FROM told) THEN y.run_id END) AS unpublished
    FROM runs AS x, runs AS y
    WHERE (x.run_id = a OR (x.is_current AND x.variant = a))
      AND (y.run_id = b OR (y.is_current AND y.variant = b))),
pairs AS (
    SELECT p.user_id, (p.prediction::DOUBLE - p.rating) ** 2 AS squared_a,
           (q.prediction::DOUBLE - q.rating) ** 2 AS squared_b
    FROM predictions AS p JOIN predictions AS q USING (position)
    WHERE p.run_id = (SELECT run_a FROM chosen WHERE dataset_a = dataset_b)
      AND q.run_id = (SELECT run_b FROM chosen)
      AND NOT p.repeated AND NOT q.repeated),
by_user AS (
    SELECT (row_number() OVER (ORDER BY user_id) - 1) % 4096 AS place, count(*) AS n,
           sum(squared_a) AS sum_a, sum(squared_b) AS sum_b
    FROM pairs GROUP BY user_id),
groups AS MATERIALIZED (
    SELECT place, sum(n) AS n, sum(sum_a) AS sum_a, sum(sum_b) AS sum_b, sum(sum_b - sum_a) AS more,
           count(*) AS n_users
    FROM by_user GROUP BY place),
counter AS (
    SELECT unnest(range(1000 * n_groups))::UBIGINT AS i, n_groups::UBIGINT AS n_groups
    FROM (SELECT count(*) AS n_groups FROM groups)),
mixed AS (
    SELECT i // n_groups AS draw,
           xor(i, i >> 16::UBIGINT) * 2146121005::UBIGINT % 4294967296::UBIGINT AS once,
           xor(once, once >> 15::UBIGINT) * 2221713035::UBIGINT % 4294967296::UBIGINT AS twice,
           xor(twice, twice >> 16::UBIGINT) % n_groups AS place
    FROM counter),
drawn AS (SELECT sum(more) / sum(n) AS value FROM mixed JOIN groups USING (place) GROUP BY draw),
ends AS (SELECT quantile_cont(value, [0.025, 0.975]) AS bounds FROM drawn),
means AS (
    SELECT sum(sum_a) / sum(n) AS mse_a, sum(sum_b) / sum(n) AS mse_b,
           sum(more) / sum(n) AS b_minus_a, sum(n)::BIGINT AS n_rows, sum(n_users)::BIGINT AS n_users
    FROM groups)
SELECT run_a, run_b, mse_a, mse_b, b_minus_a, bounds[1] AS low, bounds[2] AS high,
       bounds[1] > 0 OR bounds[2] < 0 AS differs, coalesce(n_rows, 0) AS n_rows,
       coalesce(n_users, 0) AS n_users,
       CASE WHEN unmeasured <> ''
            THEN 'trained on all ratings, so that none validates: ' || unmeasured
            WHEN dataset_a <> dataset_b
            THEN 'validated on other rows: ' || dataset_a || ' and ' || dataset_b
            WHEN unpublished <> ''
            THEN 'predictions that are not published: ' || unpublished
       END AS reason
FROM chosen, means, ends;
COMMENT ON MACRO TABLE paired_difference IS 'How much larger the mean squared error of run b is than that of run a on equal rows, with its 95 % interval: users drawn anew a thousand times; where it cannot be told, reason says why. FROM paired_difference(''dot_product_bias'', ''dot_product_bias_wd'')';
