#!/usr/bin/env python3
"""Turns nfsbench's rows into docs/performance.md (on standard output).

report.py --results DIR [--fact TEXT]... [--notes FILE] SERVER...
DIR holds SERVER.json (one object a row, one row a round) and SERVER.txt (for failures).
"""
import argparse
import json
import os
import platform
import re
import statistics
import sys

NAMES = {
    "dittofs": "dittofs (memory)",
    "dittofs-before": "before",
    "dittofs-local": "dittofs (local)",
    "ganesha-vfs": "Ganesha VFS",
    "ganesha-disk": "Ganesha VFS (disk)",
    "ganesha-mem": "Ganesha MEM",
    "limit": "limit-server",
}
GANESHA = "ganesha"
# What must be reached by whom: workload, in flight, at least this many times the rate of the other (GANESHA: its
# better back end), and at most this much CPU (us per unit, or times the other's) where there is a bound.
LOCAL_BARS = [
    ("create", 32, 8.0, None, "ganesha-disk"),
    ("randwrite-4k-filesync", 16, 5.0, None, "ganesha-disk"),
    ("create+write4k+commit", 32, 5.0, None, "ganesha-disk"),
    ("seqwrite-1024k", 8, 0.9, "1.5x", "ganesha-disk"),
    ("seqread-1024k", 8, 0.8, None, "limit"),
    ("randread-4k", 64, 1 / 1.3, None, "dittofs"),
    ("getattr", 64, 1 / 1.3, None, "dittofs"),
]
MEMORY_BARS = [
    ("getattr", 64, 5.0, 10.0, GANESHA),
    ("lookup", 64, 5.0, 10.0, GANESHA),
    ("randread-4k", 64, 5.0, 10.0, GANESHA),
    ("create", 32, 2.0, None, GANESHA),
    ("readdirplus-entries", 8, 2.0, None, GANESHA),
    ("seqread-1024k", 8, 1.0, None, GANESHA),
]
DATA = ("seq", "rand")
CPU_RATIO_MAX, RATE_RATIO_MIN = 1.05, 0.90


def median_row(rows):
    """The round with the median rate; the extremes of all rounds beside it."""
    rows = sorted(rows, key=lambda r: r["rate"])
    row = dict(rows[len(rows) // 2])
    row["low"], row["high"] = rows[0]["rate"], rows[-1]["rate"]
    return row


def load(results, server):
    by = {}
    path = os.path.join(results, server + ".json")
    if os.path.exists(path):
        with open(path) as lines:
            for line in lines:
                r = json.loads(line)
                by.setdefault((r["workload"], int(r["depth"])), []).append(r)
    return {key: median_row(rows) for key, rows in by.items()}


def failures(results, server):
    path = os.path.join(results, server + ".txt")
    if not os.path.exists(path):
        return []
    with open(path) as lines:
        return sorted({" ".join(line.split()) for line in lines if " FAILED: " in line})


def num(v):
    if v is None:
        return "–"
    if v >= 100:
        return f"{v:,.0f}"
    return f"{v:.1f}" if v >= 10 else f"{v:.2f}"


def machine():
    with open("/proc/cpuinfo") as f:
        model = re.search(r"model name\s*: (.*)", f.read())
    with open("/proc/meminfo") as f:
        kib = int(f.readline().split()[1])
    return (
        f"Machine: {os.cpu_count()} cores ({model.group(1) if model else platform.machine()}), "
        f"{kib / 2**20:.0f} GiB, Linux {platform.release().split('-')[0]}; client and server on it, over loopback"
    )


def bars(tables, subject, wanted):
    ours = tables.get(subject, {})
    print("## Results against the targets\n")
    print("Ratios compare with the other server in the same run, or with the better one of Ganesha's back ends.\n")
    print(f"| workload | in flight | {NAMES[subject]} | other | ratio (at least) | CPU µs (at most) | |")
    print("|---|---:|---:|---:|---:|---:|---|")
    for workload, depth, least, most, other in wanted:
        key = (workload, depth)
        rivals = [(tables[s][key]["rate"], s) for s in tables if s.startswith(other) and key in tables[s]]
        best = max((r for r in rivals if r[1] != subject), default=None)
        if isinstance(most, str):
            most = float(most[:-1]) * tables[best[1]][key]["server_us_per_unit"] if best else None
        row = ours.get(key)
        rival = f"{num(best[0])} ({NAMES[best[1]]})" if best else "–"
        ratio = row["rate"] / best[0] if row and best else None
        cpu = row["server_us_per_unit"] if row else None
        if ratio is None or cpu is None and most is not None:
            verdict = "not measured"
        elif ratio >= least and (most is None or cpu <= most):
            verdict = "met"
        else:
            verdict = "**not met**"
        unit = row["unit"] if row else ""
        print(
            f"| {workload} | {depth} | {num(row['rate']) if row else '–'} {unit} | {rival} "
            f"| {num(ratio)} ({num(least)}) | {num(cpu)} ({num(most)}) | {verdict} |"
        )
    print()


def cell(row, workload, server):
    if row is None:
        return "–"
    mark = "*" if server == "ganesha-mem" and workload.startswith(DATA) else ""
    return (
        f"**{num(row['rate'])}**{mark} {row['unit']}<br>{num(row['p50_us'])} / {num(row['p99_us'])} µs"
        f"<br>{num(row['server_us_per_unit'])} µs CPU"
    )


def everything(servers, tables, wanted):
    print("## All workloads\n")
    print("Each cell shows the median rate of the rounds, the p50 / p99 latency of an operation, and the server's CPU")
    print("time per unit (operation, directory entry or MiB). `stat`, `create+write4k+commit` and a listing are")
    print("several calls each.")
    if "ganesha-mem" in servers:
        print("\\* Ganesha's memory back end keeps at most the first 4 KiB of a file here (room for more is cleared at")
        print("each create, which slows these down). It answers reads of the rest with a constant.")
    print("\n| workload | in flight | " + " | ".join(NAMES[s] for s in servers) + " |")
    print("|---|---:|" + "---:|" * len(servers))
    keys = []
    for table in tables.values():
        keys += [k for k in table if k not in keys]
    for key in keys:
        cells = [cell(tables[s].get(key), key[0], s) for s in servers]
        print(f"| {key[0]} | {key[1]} | " + " | ".join(cells) + " |")
    print("\n## Variation between rounds, and CPU use\n")
    print("For the workloads with a target: lowest and highest rate of the rounds, the kernel's share of the server's")
    print("CPU time, the server's and the client's load in cores, the CPU time that the hypervisor took (stolen, in")
    print("cores), and the server's resident memory.\n")
    print("| workload | in flight | server | lowest | highest | in kernel | server | client | stolen | MiB |")
    print("|---|---:|---|---:|---:|---:|---:|---:|---:|---:|")
    for workload, depth, *_ in wanted:
        for s in servers:
            r = tables[s].get((workload, depth))
            if r:
                share = r["server_sys_share"]
                print(
                    f"| {workload} | {depth} | {NAMES[s]} | {num(r['low'])} | {num(r['high'])} "
                    f"| {'–' if share is None else f'{share:.0%}'} | {num(r['server_cores'])} "
                    f"| {num(r['client_cores'])} | {num(r['steal_cores'])} | {num(r['server_rss_mib'])} |"
                )
    print()


def medians(results, server):
    """Of each workload and depth: median rate and median CPU time per unit, each by itself."""
    by = {}
    with open(os.path.join(results, server + ".json")) as lines:
        for line in lines:
            r = json.loads(line)
            by.setdefault((r["workload"], int(r["depth"]), r["unit"]), []).append(r)
    return {
        key: [statistics.median(r[what] for r in rows) for what in ("rate", "server_us_per_unit")]
        for key, rows in by.items()
    }


def compare(results):
    """Prints what this program has of the rates and the CPU times of the one before; says whether all is well."""
    before, after = medians(results, "dittofs-before"), medians(results, "dittofs")
    fine = True
    print("## Before and after\n")
    print(f"At most {CPU_RATIO_MAX} of the CPU time, at least {RATE_RATIO_MIN} of the rate. Where a median is below a")
    print("tenth of a microsecond, its ratio says nothing.\n")
    print("| workload | in flight | rate before | after | ratio | CPU µs before | after | ratio | |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---|")
    for key in (key for key in before if key in after):
        (rate, cpu), (new_rate, new_cpu) = before[key], after[key]
        ratios = new_rate / rate, new_cpu / cpu if cpu > 0.1 else 1.0
        met = ratios[0] >= RATE_RATIO_MIN and ratios[1] <= CPU_RATIO_MAX
        fine &= met
        print(
            f"| {key[0]} | {key[1]} | {num(rate)} {key[2]} | {num(new_rate)} | {ratios[0]:.2f} | {num(cpu)} | {num(new_cpu)} "
            f"| {ratios[1]:.2f} | {'' if met else '**worse**'} |"
        )
    return fine


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--results", required=True)
    ap.add_argument("--fact", action="append", default=[])
    ap.add_argument("--notes")
    ap.add_argument("--local", action="store_true")
    ap.add_argument("--before", action="store_true")
    ap.add_argument("servers", nargs="+")
    a = ap.parse_args()
    tables = {s: load(a.results, s) for s in a.servers}
    print("# Performance\n")
    print("Written by `tests/bench/nfs.sh`; do not edit. Hand-written remarks and profiles belong in")
    print("`performance-notes.md`, which is appended here.\n")
    print("The load generator is `nfsbench`: one connection and one thread, NFSv3 over TCP, AUTH_SYS as root. Client")
    print("and server run at real-time priority, and the servers take turns. The limit-server answers with canned")
    print("bytes: its result is the ceiling that network stack and client leave to a server with one thread for each")
    print("connection. Ganesha's VFS exports a tmpfs, or a folder on the same disk as our local stores (disk).\n")
    for fact in [machine()] + a.fact:
        print(f"- {fact}")
    print()
    if a.before:
        sys.exit(not compare(a.results))
    subject, wanted = ("dittofs-local", LOCAL_BARS) if a.local else ("dittofs", MEMORY_BARS)
    if subject in tables:
        bars(tables, subject, wanted)
    failed = [(s, f) for s in a.servers for f in failures(a.results, s)]
    if failed:
        print("## Failures\n")
        for s, f in failed:
            print(f"- {NAMES[s]}: {f}")
        print()
    everything(a.servers, tables, wanted)
    if a.notes and os.path.exists(a.notes):
        with open(a.notes) as f:
            print(f.read().rstrip())


main()
