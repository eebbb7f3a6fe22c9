"""An authority of the test's own, and certificates that it signs, by the openssl program."""

import os
import subprocess


class Certificates:
    """Files in `folder`, which must exist."""

    def __init__(self, folder):
        self._folder = folder
        self.ca_file = self._path("ca.pem")
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
                      "-subj", "/CN=Test authority", "-keyout", self._path("ca.key"), "-out", self.ca_file)

    def make(self, name, alternative_names):
        """Certificate and key of `name`, for names such as "DNS:sluice.example,IP:198.18.1.1"; again: others in the same files."""
        request, certificate, key = (self._path(f"{name}.{kind}") for kind in ("csr", "pem", "key"))
        self._openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                      "-keyout", key, "-out", request)
        extensions = self._path(f"{name}.extensions")
        with open(extensions, "w", encoding="utf-8") as file:
            file.write(f"subjectAltName={alternative_names}\n")
        self._openssl("x509", "-req", "-in", request, "-CA", self.ca_file, "-CAkey", self._path("ca.key"), "-CAcreateserial",
                      "-days", "1", "-extfile", extensions, "-out", certificate)
        return certificate, key

    def _path(self, name):
        return os.path.join(self._folder, name)

    @staticmethod
    def _openssl(*arguments):
        done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            raise AssertionError(f"openssl {arguments[0]}: {done.stderr.strip()}")
