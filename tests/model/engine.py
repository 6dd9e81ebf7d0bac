"""Talks to the engine (engine.c): one process, a JSON line there, a JSON line back."""

import json
import os
import subprocess
import time

BUILD = os.environ.get("PXS_BUILD") or os.path.join(os.path.dirname(__file__), "../../build-test")


class Refused(Exception):
    """The engine said no: CODE is an errno, AT the byte of the text (-1: none)."""

    def __init__(self, answer):
        super().__init__(answer["error"])
        self.code, self.at = answer["code"], answer["at"]


class Engine:
    """An engine with the index of folder DIRECTORY open."""

    def __init__(self, directory):
        self.directory = directory
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [os.path.join(BUILD, "tests/model/model_engine")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # What a sanitizer holds back of freed memory would count as the engine's (hostile.py).
            env=os.environ | {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=32"},
        )
        self.ask("open", dir=self.directory)

    def ask(self, verb, **arguments):
        """The answer as a dict; raises Refused."""
        line = json.dumps({"do": verb, **arguments}) + "\n"
        self.process.stdin.write(line.encode())
        self.process.stdin.flush()
        text = self.process.stdout.readline()
        if not text:
            raise RuntimeError(f"the engine died ({self.process.wait()}) of {line[:2000]}")
        answer = json.loads(text)
        if not answer["ok"]:
            raise Refused(answer)
        return answer

    def reopen(self):
        self.ask("close")
        self.ask("open", dir=self.directory)

    def crash_in(self, verb, after_s):
        """Crash in the middle of VERB, or before it, or after it."""
        self.process.stdin.write(json.dumps({"do": verb}).encode() + b"\n")
        self.process.stdin.flush()
        time.sleep(after_s)
        self.crash()

    def crash(self):
        """Killed: nothing is flushed, nothing is closed."""
        self.kill()
        self.start()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        self.process.stdin.close()
        if self.process.wait() != 0:
            raise RuntimeError(f"the engine ended with {self.process.returncode}")

    # --- What it costs ---

    def memory_peak_reset(self):
        with open(f"/proc/{self.process.pid}/clear_refs", "w", encoding="ascii") as file:
            file.write("5")

    def busy_s(self):
        """What all its threads computed so far."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self, field):
        """VmRSS (now) or VmHWM (the peak since the last reset), in bytes."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            for line in file:
                if line.startswith(field + ":"):
                    return int(line.split()[1]) * 1024
        raise KeyError(field)
