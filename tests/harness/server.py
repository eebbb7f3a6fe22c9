"""What a relay and a controller have in common as programs under test: a config, a gRPC socket, a process that serves on it."""

from harness.process import Process, accepts
from harness.sluicectl import Sluicectl


class Server:
    """`binary` with the text `config`, whose gRPC socket is NAME.sock in `work_folder`."""

    # Arguments of sluicectl that work once it serves.
    _ANSWERS = ()

    def __init__(self, name, role, binaries, work_folder, namespace, config):
        self.name = name
        self.address = f"unix:{work_folder.file(name + '.sock')}"
        self.config = config
        self.ctl = Sluicectl(binaries.ctl, **{role: self.address})
        self.process = None
        self.seconds_to_serve = None
        self._binary = getattr(binaries, role)
        self._work_folder = work_folder
        self._namespace = namespace

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *unused):
        self.stop()

    def start(self):
        """Starts it and waits until its gRPC answers."""
        self.launch()
        try:
            self.seconds_to_serve = self.process.wait_until(self.serves, "its gRPC answered")
        except BaseException:
            self.process.stop()
            raise

    def launch(self):
        """Starts it without waiting, for cases in which it cannot come up."""
        path = self._work_folder.write(f"{self.name}.yaml", self.config)
        self.process = Process(self.name, [self._binary, "--config", path], self._work_folder.file(f"{self.name}.log"), self._namespace)

    def serves(self):
        return accepts(self.address.removeprefix("unix:")) and self.ctl.works(*self._ANSWERS, "-o", "json")

    def stop(self):
        """Answers the exit status."""
        return self.process.stop() if self.process else None
