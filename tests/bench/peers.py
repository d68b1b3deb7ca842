#!/usr/bin/python3
"""Taglight beside PyTorch, OpenBLAS and Pillow on this machine, as a Markdown table.

    tests/bench/peers.py [--rounds 5] [--nets tresnet_m,gemm] [--update docs/performance.md]

One round runs `taglight bench --json` and every peer, net by net, so that a machine whose
speed drifts is unfair to nobody; what other processes disturbed is run again; a figure is
the median of the rounds' medians. A peer runs in a process of its own (workers.py), in
several settings, of which the best counts. Not part of the test suite. What is not
installed is said so below the table."""
import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
NETS = ['tresnet_m', 'tresnet_l', 'clip_text', 'head', 'train', 'gemm', 'conv',
        'decode']
CORE_TYPES = ['SkylakeX', 'Zen', 'Haswell']
CPUS = os.cpu_count()
MARKS = ('<!-- table of tests/bench/peers.py -->\n', '<!-- end of table -->\n')


class Peer:
    """A worker process: asked for a case with a line of JSON, answers with one."""

    def __init__(self, name, setting, threads):
        # What a shell happens to set must not choose the peer's kernels.
        env = {k: v for k, v in os.environ.items()
               if not k.startswith(('OPENBLAS_', 'OMP_', 'GOMP_'))}
        env.update(setting, OMP_NUM_THREADS=str(threads),
                   OPENBLAS_NUM_THREADS=str(threads))
        self.name, self.setting = name, setting
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(HERE, 'workers.py'), name], env=env, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        hello = self.process.stdout.readline()
        self.version = json.loads(hello)['version'] if hello else None

    def seconds(self, net, case, batch, runs):
        """The median time of one item; None when the peer has nothing of the kind."""
        request = {'net': net, 'case': case, 'batch': batch, 'runs': runs}
        self.process.stdin.write(json.dumps(request) + '\n')
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit('%s stopped at %s %s' % (self.name, net, case))
        return json.loads(answer)['seconds']

    def cpu_seconds(self):
        with open('/proc/%d/stat' % self.process.pid, encoding='utf-8') as stat:
            fields = stat.read().rsplit(') ', 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def children_cpu_seconds():
    """Of processes that have ended: runs of taglight, but not the peers."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def machine_cpu_seconds():
    with open('/proc/stat', encoding='utf-8') as stat:
        fields = [int(n) for n in stat.readline().split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf('SC_CLK_TCK')


DISTURBED = 0.1  # share of the processors' time that others took
least_shares = []


def quietly(run, own_cpu_seconds):
    """The result of the run that others disturbed least, of at most three runs; notes
    how much that was in least_shares."""
    results = []
    for _ in range(3):
        others, begin = machine_cpu_seconds() - own_cpu_seconds(), time.monotonic()
        result = run()
        others = machine_cpu_seconds() - own_cpu_seconds() - others
        results.append((others / (time.monotonic() - begin) / CPUS, len(results), result))
        if results[-1][0] < DISTURBED:
            break
    least_shares.append(min(results)[0])
    return min(results)[2]


def best_core_type(threads):
    """The OpenBLAS kernels that multiply 1024x1024 fastest here; None without OpenBLAS."""
    best = None
    for core in CORE_TYPES:
        peer = Peer('openblas', {'OPENBLAS_CORETYPE': core}, threads)
        if peer.version:
            seconds = peer.seconds('gemm', '1024x1024x1024', 1, 15)
            best = min(best or (seconds, core), (seconds, core))
        peer.close()
    return best[1] if best else None


def open_peers(threads):
    core = best_core_type(threads)
    blas = {'OPENBLAS_CORETYPE': core} if core else {}
    # Threads of OpenMP that spin for a moment before they sleep speed convolutions up and
    # slow OpenBLAS's own threads down. Never `active`: those would spin beside us too.
    peers = [Peer('torch', blas, threads),
             Peer('torch', dict(blas, OMP_WAIT_POLICY='passive'), threads),
             Peer('openblas', blas, threads), Peer('pillow', {}, threads)]
    return peers, core


def run_ours(options, net):
    done = subprocess.run(
        [options.taglight, 'bench', '--net', net, '--json', '--runs', str(options.runs),
         '--batch', str(options.batch)], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit('taglight bench --net %s failed' % net)
    return json.loads(done.stdout)


def run_peer(options, peer, net, names):
    """-> the peer's times as pairs of case and seconds."""
    if not peer.version:
        return []
    pairs = quietly(lambda: [(case, peer.seconds(net, case, options.batch, options.runs))
                             for case in names], peer.cpu_seconds)
    return [(case, seconds) for case, seconds in pairs if seconds is not None]


def measure(options, peers):
    """-> our last report, the best peak, {(net, case): {'row', 'ours', peer index: []}}"""
    cases, peak, report = {}, 0, None
    for number in range(options.rounds):
        for net in options.nets:
            print('round %d of %d: %s' % (number + 1, options.rounds, net),
                  file=sys.stderr)
            report = quietly(lambda: run_ours(options, net), children_cpu_seconds)
            peak = max(peak, report['peak_gflops'])
            for row in report['rows']:
                case = cases.setdefault((net, row['case']), {'ours': []})
                case['row'] = row
                case['ours'].append(row['seconds'])
            names = [row['case'] for row in report['rows']]
            for index, peer in enumerate(peers):
                for case, seconds in run_peer(options, peer, net, names):
                    cases[net, case].setdefault(index, []).append(seconds)
    return report, peak, cases


def time_text(seconds):
    digits = 3 if seconds < 1e-3 else 2 if seconds < 1e-2 else 1 if seconds < 1 else 0
    return '%.*f' % (digits, 1e3 * seconds)


def table_line(key, case, peers, peak):
    ours, flops = statistics.median(case['ours']), case['row']['flops']
    theirs = [(statistics.median(times), peers[index].name)
              for index, times in case.items() if isinstance(index, int)]
    rate = '|'
    if flops:
        rate = '%.1f | %.0f %%' % (1e-9 * flops / ours, 1e-7 * flops / ours / peak)
    peer = '| |'
    if theirs:
        seconds, name = min(theirs)
        peer = '%s | %s | %.2f' % ({'torch': 'PyTorch', 'openblas': 'OpenBLAS',
                                    'pillow': 'Pillow'}[name], time_text(seconds),
                                   ours / seconds)
    return '| %s %s | %s | %s | %s |' % (key[0], key[1], time_text(ours), rate, peer)


def make_text(options, peers, core, report, peak, cases):
    lines = ['%s; %s kernels. Best 1024x1024x1024 product: %.1f GFLOP/s. Batch %d, median '
             'of %d rounds, %d threads.' % (report['driver'], report['kernels'], peak,
                                            options.batch, options.rounds,
                                            options.threads), '',
             '| what | ours, ms | GFLOP/s | of peak | peer | peer, ms | ours / peer |',
             '|---|---|---|---|---|---|---|']
    lines += [table_line(key, case, peers, peak) for key, case in cases.items()]
    lines.append('')
    for name in ('torch', 'openblas', 'pillow'):
        version = next(p.version for p in peers if p.name == name)
        lines.append('* %s: %s' % (name, version or 'not installed'))
    if core:
        lines.append('* OPENBLAS_CORETYPE=%s, the fastest of %s' % (core,
                                                                 ', '.join(CORE_TYPES)))
    disturbed = sum(share >= DISTURBED for share in least_shares)
    lines.append('* %d of %d measurements were disturbed by other processes to the end'
                 % (disturbed, len(least_shares)))
    return '\n'.join(lines) + '\n'


def update(path, text):
    with open(path, encoding='utf-8') as old:
        whole = old.read()
    if any(whole.count(mark) != 1 for mark in MARKS):
        sys.exit('%s has no marks around its table' % path)
    before, rest = whole.split(MARKS[0])
    with open(path, 'w', encoding='utf-8') as new:
        new.write(before + MARKS[0] + '\n' + text + '\n' + MARKS[1]
                  + rest.split(MARKS[1])[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--taglight', default=os.path.join(ROOT, 'build', 'taglight'))
    parser.add_argument('--nets', default=','.join(NETS), help='with commas between')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--runs', type=int, default=3, help='in each round')
    parser.add_argument('--batch', type=int, default=1)
    parser.add_argument('--threads', type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument('--update', metavar='FILE',
                        help='put the table between the marks of this file')
    options = parser.parse_args()
    options.nets = options.nets.split(',')
    peers, core = open_peers(options.threads)
    text = make_text(options, peers, core, *measure(options, peers))
    for peer in peers:
        peer.close()
    print(text)
    if options.update:
        update(options.update, text)


main()
