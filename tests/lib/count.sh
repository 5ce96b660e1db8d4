# Counting test cases: reads what each test runner wrote for machines and prints "PASSED FAILED".
# A skipped test counts as failed, since we have none. Without a report nothing is printed, and
# the step that asked fails.
# shellcheck shell=bash

# count_junit FILE: CTest's own report.
count_junit() {
    local suite total=0 bad=0 name
    suite=$(grep -m 1 -A 8 '<testsuite ' "$1") || return 1
    [[ $suite =~ [[:space:]]tests=\"([0-9]+)\" ]] || return 1
    total=${BASH_REMATCH[1]}
    for name in failures disabled skipped; do
        [[ ! $suite =~ [[:space:]]$name=\"([0-9]+)\" ]] || bad=$((bad + BASH_REMATCH[1]))
    done
    printf '%d %d\n' $((total - bad)) "$bad"
}

# count_tap FILE: the summary of node:test.
count_tap() {
    awk '/^# (pass|fail|cancelled|skipped|todo) [0-9]+$/ { n[$2] = $3 }
        END {
            if (!("pass" in n)) { exit 1 }
            print n["pass"] + 0, n["fail"] + n["cancelled"] + n["skipped"] + n["todo"]
        }' "$1"
}

# count_vitest FILE, count_playwright FILE: JSON reports.
count_vitest() {
    node -e 'const r = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
        console.log(r.numPassedTests, r.numTotalTests - r.numPassedTests);' "$1"
}

count_playwright() {
    node -e 'const s = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8")).stats;
        console.log(s.expected, s.unexpected + s.flaky + s.skipped);' "$1"
}

# count_line FILE: our own programs end like tests/run, with "N passed, N failed".
count_line() {
    sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p' "$1" | tail -n 1 | grep .
}
