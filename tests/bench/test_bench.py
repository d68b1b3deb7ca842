#!/usr/bin/env python3
"""The promises of `taglight bench --json`: test_bench.py TAGLIGHT

Nothing here depends on how fast anything is."""
import json
import os
import subprocess
import sys
import tempfile

ROW = {'net', 'case', 'items', 'seconds', 'best_seconds', 'flops', 'gflops',
       'peak_share', 'weight_bytes', 'arena_bytes', 'host_peak_bytes', 'device_seconds',
       'profile'}
TOP = {'format', 'device', 'driver', 'kernels', 'timestamps', 'peak_gflops', 'batch',
       'runs', 'rows'}
OPERATOR = {'operator', 'calls', 'seconds', 'share', 'gflops', 'bytes'}


def require(condition, what):
    if not condition:
        print('not true: ' + what)
        sys.exit(1)


def bench(taglight, *options):
    return subprocess.run([taglight, 'bench'] + list(options), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False)


def check_row(row):
    name = '%s %s' % (row['net'], row['case'])
    require(ROW <= set(row), name + ' has every key')
    require(0 < row['best_seconds'] <= row['seconds'], name + ': best <= median')
    rate = row['flops'] / row['seconds']
    require(abs(1e9 * row['gflops'] - rate) <= 1e-6 * rate, name + ': the rate')
    require(row['weight_bytes'] > 0 and row['arena_bytes'] > 0,
            name + ': device memory')
    require(row['host_peak_bytes'] > 0, name + ': host memory')
    require(row['profile'] and all(OPERATOR <= set(p) for p in row['profile']),
            name + ' has a profile')
    shares = [p['share'] for p in row['profile']]
    require(shares == sorted(shares, reverse=True) and sum(shares) < 1 + 1e-9,
            name + ': shares fall and are no more than the whole')


def check_gemm(taglight):
    done = bench(taglight, '--net', 'gemm', '--runs', '1', '--json', '--profile')
    require(done.returncode == 0, 'bench --net gemm: ' + done.stderr)
    top = json.loads(done.stdout)
    require(TOP <= set(top), 'the object has every key')
    require(top['format'] == 1 and top['runs'] == 1 and top['batch'] == 1,
            'the object tells its settings')
    require(top['peak_gflops'] > 0, 'the peak was measured')
    square = [r for r in top['rows'] if r['case'] == '1024x1024x1024']
    require(len(square) == 1 and square[0]['flops'] == 2 * 1024 ** 3,
            'there is one square product')
    for row in top['rows']:
        require(row['net'] == 'gemm', 'nothing else is measured')
        check_row(row)


def main():
    taglight = sys.argv[1]
    with tempfile.TemporaryDirectory() as cache:
        os.environ['XDG_CACHE_HOME'] = os.environ['XDG_CONFIG_HOME'] = cache
        devices = subprocess.run([taglight, 'devices'], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, check=False)
        if devices.returncode:
            return 77
        check_gemm(taglight)
        table = bench(taglight, '--net', 'decode', '--runs', '1')
        require(table.returncode == 0 and table.stdout.count('decode ') == 4,
                'the table has the rows of decode')
        for options in (['--net', 'nothing'], ['--net', ''], ['--batch', '0'],
                        ['--runs', '-1'], ['left over']):
            require(bench(taglight, *options).returncode == 2,
                    '%s is misuse' % ' '.join(options))
    return 0


sys.exit(main())
