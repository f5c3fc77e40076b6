/// The expressions for Prometheus and for our evaluator.
enum AgreementExpressions {
    static let all =
        functions.flatMap { name in
            ["requests_total[5m]", "level[2m]", "capacity[47s]", #"requests_total{code=~"5.."}[3m] offset 2m"#, "short[1m]"].map {
                "\(name)(\($0))"
            }
        } + plain

    private static let functions = [
        "rate", "increase", "irate", "delta", "changes", "resets", "avg_over_time", "sum_over_time", "count_over_time",
        "min_over_time", "max_over_time", "last_over_time", "absent_over_time",
    ]

    private static let plain = [
        "requests_total", "short", "nothing", #"level{kind=""}"#, #"level{kind!="second"}"#, #"requests_total{code!~"2..|404"}"#,
        #"{__name__="info"}"#, "requests_total offset 90s", "level offset -1m", "constant", "- level", "-constant + 3",
        "2 * -level", "1 - 2 - 3", "2 * 3 % 4", "-7 % 3", "1 / 0", "-(1 / 0)", "0 / 0", "1 == bool 1", "1 < bool 0x1f", "time()",
        "time() - constant", "vector(3)", "vector(time())", "scalar(constant) + 1", "scalar(level)", "level > 0",
        "0 < level", "level > bool 0", "50 >= bool level", "level != 3", "requests_total == requests_total",
        "level % 7", "level / capacity", "capacity / on(job) limit", "limit / on(job) capacity",
        "capacity / ignoring(zone) limit",
        "capacity > on(job) limit", "capacity > bool on(job) limit", "capacity >= ignoring(zone) limit",
        "requests_total / on(job) group_left capacity", "capacity * on(job) group_right requests_total",
        "requests_total * on(job) group_left(version) info", "requests_total * on(job) capacity",
        "capacity / on() group_left constant", "level * on(job) capacity", "capacity / on(job) level",
        "requests_total * on(job) group_left(code) info", "requests_total > on(job) group_left(version) info",
        "level and capacity", "requests_total and on(job) capacity", "requests_total unless on(code) nothing",
        #"requests_total unless on(code) requests_total{job="api",code="404"}"#, "capacity or limit", "nothing or vector(1)",
        "limit or on(job) capacity", "level > 10 or level < -10", "level > 10 and level < 100 unless capacity > 0",
        "sum(requests_total)", "sum by (job) (requests_total)", "sum(requests_total) by (code)",
        "sum without (code) (requests_total)", "avg(level)", "avg by (kind) (level)", "max(level)", "min without (job) (level)",
        "count(requests_total)", "count by (job, nosuch) (requests_total)", "sum(nothing)", "count(nothing)",
        "sum by () (capacity)",
        "topk(2, requests_total)", "bottomk(3, requests_total)", "topk by (job) (1, requests_total)", "topk(0, requests_total)",
        "sum by (job) (topk(2, level))", "sum(rate(requests_total[5m])) by (job)", "absent(nothing)", "absent(constant)",
        #"absent(nothing{a="b",c=~"d",e="f"})"#, #"absent(nothing{a="b",a="c",e="f"})"#, "absent(sum(nothing))",
        #"absent_over_time(nothing{a="b"}[5m])"#, "clamp_min(level, 0)", "clamp_max(level, 10)", "clamp(level, -5, 5)",
        "clamp(level, 5, -5)", "clamp_max(level, 0 / 0)", "abs(level)", "ceil(level)", "floor(level)", "round(level)",
        "round(level, 0.25)", "histogram_quantile(0.95, took_seconds_bucket)",
        "histogram_quantile(0.95, rate(took_seconds_bucket[5m]))",
        "histogram_quantile(0.5, sum by (le) (rate(took_seconds_bucket[5m])))",
        "histogram_quantile(0, sum by (job, le) (increase(took_seconds_bucket[3m])))",
        "histogram_quantile(1, took_seconds_bucket)",
        "histogram_quantile(1.5, took_seconds_bucket)", "histogram_quantile(-1, took_seconds_bucket)",
        "histogram_quantile(0 / 0, took_seconds_bucket)", "histogram_quantile(0.9, requests_total)",
        "histogram_quantile(0.3, torn_bucket)",
        "histogram_quantile(0.7, torn_bucket)", "histogram_quantile(0.99, increase(torn_bucket[2m]))",
        #"histogram_quantile(0.9, took_seconds_bucket{le!="+Inf"})"#,
        #"histogram_quantile(0.9, sum by (le) (took_seconds_bucket{le=~"0.01|\\+Inf"}))"#,
        #"sum(rate(requests_total{code=~"5.."}[5m])) / sum(rate(requests_total[5m])) > 0.005"#,
        #"sum by (job) (rate(requests_total{code="200"}[5m])) / sum by (job) (rate(requests_total[5m])) < 0.85"#,
        "avg(level) > bool 3 and on() constant > 2", "max_over_time(level[1m30s]) - min_over_time(level[1m30s])",
        "SUM BY (job) (requests_total) # a comment", #"requests_total{code='200',}"#, "sum(level) + +1", "--1",
        "1 + 2 * 3 == bool 7", "4 > bool 3 > bool 2", "level == level == level", "vector(1) or vector(2) and vector(3)",
    ]
}
