"""Tables for `toadstone.symbols.intent`: what decodes, what fetches, which commands and paths give hostile code away."""

from __future__ import annotations

import re

from toadstone.core.regex import regex


def words(text: str) -> frozenset[str]:
    """Make a set of the words of a text."""
    return frozenset(text.split())


DECODERS = words(
    "base64.b64decode base64.standard_b64decode base64.urlsafe_b64decode base64.decodebytes base64.decodestring "
    "base64.b32decode base64.b16decode base64.b85decode base64.a85decode binascii.a2b_base64 binascii.unhexlify "
    "binascii.a2b_hex binascii.a2b_uu zlib.decompress gzip.decompress bz2.decompress lzma.decompress zlib.decompressobj "
    "marshal.loads codecs.decode codecs.encode builtins.bytes.fromhex builtins.bytearray.fromhex "
    "cryptography.fernet.Fernet.decrypt cryptography.fernet.Fernet operator.xor Crypto.Cipher.AES.new "
    "Cryptodome.Cipher.AES.new Crypto.Cipher.ARC4.new",
)
"""Functions that turn hidden content into readable content."""

FETCHING_MODULES = words("requests httpx aiohttp urllib3 requests.sessions requests.api")
FETCHING_NAMES = words("get post put request Session session patch head Client AsyncClient ClientSession stream PoolManager")
FETCHERS = words(
    "urllib.request.urlopen urllib.request.urlretrieve urllib2.urlopen urllib.urlopen urllib.urlretrieve "
    "http.client.HTTPConnection http.client.HTTPSConnection ftplib.FTP urllib.request.Request wget.download pycurl.Curl "
    "urllib.request.build_opener six.moves.urllib.request.urlopen xmlrpc.client.ServerProxy telnetlib.Telnet smtplib.SMTP "
    "paramiko.SSHClient",
)
"""Functions whose result comes from the network."""

SOCKETS = words("socket.socket socket.create_connection socket.fromfd ssl.wrap_socket")
SENDERS = words("post put request urlopen Request send sendall patch get")

TEXT_RUNNERS = words(
    "builtins.exec builtins.eval builtins.compile builtins.execfile code.InteractiveInterpreter.runsource "
    "types.FunctionType types.CodeType",
)
COMMAND_MODULES = words(
    "subprocess os posix nt pty popen2 commands asyncio asyncio.subprocess sh plumbum pexpect _posixsubprocess",
)
"""Modules whose functions run the command that they are given."""

FILE_FUNCTIONS = words(
    "builtins.open io.open os.open pathlib.Path.write_text pathlib.Path.open pathlib.Path.read_text shutil.copy shutil.copyfile",
)
NATIVE_MEMORY = words(
    "VirtualAlloc VirtualAllocEx CreateRemoteThread WriteProcessMemory RtlMoveMemory NtCreateThreadEx VirtualProtect",
)
"""Functions of Windows with which machine code is put into memory and started."""

_SHELL = r"(?:ba|z|da|k)?sh"
_HOSTILE_COMMANDS = (
    r"/dev/(?:tcp|udp)/[\w.$]",  # a shell wired to a network device
    rf"\b(?:curl|wget|fetch|lwp-download)\b[^\n;]{{0,400}}?\|\s*(?:sudo\s+)?(?:/\w+(?:/\w+)*/)?(?:{_SHELL}|python[\d.]*|perl)\b",
    rf"\b(?:curl|wget)\b[^\n;]{{0,400}}?(?:&&|;)\s*(?:sudo\s+)?(?:chmod\s+\S*[x7]|{_SHELL}\s|\./)",  # fetched and run
    rf"\b(?:{_SHELL}|python[\d.]*)\b[^\n]{{0,40}}(?:<\(|\$\(|`)\s*(?:curl|wget)\b",
    r"\b(?:nc|ncat|netcat|nc\.traditional)\b(?=[^\n]{0,120}\s-\w*[ec]\b)",  # netcat that runs a program
    r"\bmkfifo\b[^\n]{0,200}\b(?:nc|ncat|netcat|telnet|openssl)\b",
    r"\b(?:base64|openssl\s+(?:enc|base64))\b[^\n|]{0,80}\s(?:-d|-D|--decode)\b[^\n]{0,80}\|\s*(?:sudo\s+)?(?:(?:ba|z|da)?sh|python[\d.]*|perl)\b",
    r"\b(?:xxd\s+-r|printf\s+['\"]?\\x)[^\n|]{0,4000}\|\s*(?:ba|z|da)?sh\b",
    r"\bpowershell(?:\.exe)?\b[^\n]{0,200}\s-(?:e|en|enc|encodedcommand|ec)\s+[A-Za-z0-9+/=]{16,}",
    r"\bpowershell(?:\.exe)?\b[^\n]{0,400}(?:downloadstring|downloadfile|invoke-webrequest|\biwr\b|\biex\b|invoke-expression)",
    r"\b(?:certutil|bitsadmin)\b[^\n]{0,60}(?:-urlcache|/transfer)",
    r"\b(?:mshta|regsvr32)\b[^\n]{0,60}https?:",
    r"\bpython[\d.]*\s+-c\s+.{0,2000}(?:exec\s*\(.{0,200}(?:decode|decompress|urlopen)|socket\.socket.{0,400}(?:dup2|pty\.spawn))",
    r"\bperl\b[^\n]{0,40}-e\b.{0,400}(?:IO::)?Socket",
    r"\brm\s+-\w*[rR]\w*\s+(?:-\w+\s+)*(?:--no-preserve-root\s+)?(?:/|~|\$HOME|/\*|/home|/etc|/var|/usr)/?\*?(?:\s|$|;|&)",
    r"(?:>>?|\btee\s+(?:-a\s+)?)\s*['\"]?(?:~|\$HOME|/root|/home/[\w$]+)/\.(?:ssh/authorized_keys|bashrc|bash_profile|profile|zshrc)",
    r"(?:>>?|\btee\s+(?:-a\s+)?)\s*['\"]?/etc/(?:cron|passwd|shadow|sudoers|rc\.local|profile|ld\.so\.preload)",
    r"\|\s*crontab\b|\bcrontab\s+(?:-u\s+\w+\s+)?(?:-(?!l\b|r\b|e\b)\s|/tmp)",
    r"\b(?:cat|curl|scp|tar|base64)\b[^\n]{0,200}(?:/etc/shadow|\.ssh/id_(?:rsa|ed25519|ecdsa|dsa)|\.aws/credentials)",
    r":\(\)\s*\{\s*:\|:&\s*\}",  # a fork bomb
)
HOSTILE_COMMAND = regex("|".join(f"(?:{pattern})" for pattern in _HOSTILE_COMMANDS), re.IGNORECASE | re.DOTALL)
"""Commands that no honest program runs."""

PERSISTENT = regex(
    r"(?:^|/|\\)\.ssh(?:/|\\)(?:authorized_keys|rc|config)\b|(?:^|/)\.(?:bashrc|bash_profile|bash_login|profile|zshrc|zshenv|zprofile|"
    r"xinitrc|pam_environment)$|^/etc/(?:cron|rc\.local|profile|ld\.so\.preload|sudoers|systemd|init\.d|passwd|shadow)|/var/spool/cron|"
    r"(?:^|/)\.config/(?:autostart|systemd/user)/|/Library/Launch(?:Agents|Daemons)/|\\Start Menu\\Programs\\Startup\\|"
    r"(?:^|/)(?:sitecustomize|usercustomize)\.py$|/site-packages/[^/]+\.pth$",
    re.IGNORECASE,
)
"""Files that run something later, or open a door."""

CREDENTIAL = regex(
    r"(?:^|[/\\~])\.aws[/\\]credentials|(?:^|[/\\~])\.ssh[/\\](?:id_\w+|identity)$|"
    r"(?:^|[/\\~])\.(?:netrc|pgpass|git-credentials|pypirc|npmrc)$|^/etc/shadow|"
    r"(?:^|[/\\~])\.kube[/\\]config$|(?:^|[/\\~])\.docker[/\\]config\.json$|[/\\](?:Login Data|Cookies|logins\.json|key4\.db)$|"
    r"(?:^|[/\\~])\.(?:cache[/\\])?huggingface[/\\]token$|(?:^|[/\\~])\.config[/\\]gcloud[/\\]|(?:^|[/\\])wallet\.dat$|/proc/self/environ$",
    re.IGNORECASE,
)
"""Files that hold credentials."""

SHELLS = regex(r"(?:/(?:usr/)?bin/)?(?:ba|z|da|k|c|tc)?sh$|cmd(?:\.exe)?$|powershell(?:\.exe)?$", re.IGNORECASE)

QUERIES = regex(
    r"""\s*(?:/(?:usr/)?(?:local/)?s?bin/)?(?:
      git(?:\s+(?:-\S+|…))*\s+(?:rev-parse|describe|log|status|show|ls-files|config\s+--get|branch|diff|tag|remote\s+-v|--version)
      |(?:uname|hostname|whoami|id|arch|date|nproc|lscpu|lspci|sysctl|ldconfig|ldd|locale|tty|stty|sw_vers|nvidia-smi|rocm-smi|rocminfo
      |hipconfig|pkg-config|lsb_release|getconf|otool|objdump|file|which|where|xcrun|xcode-select|tput|cls|clear|ver|pwd|ls|dir|mode|color
      |chcp|ps|fc-list|fc-match|system_profiler|df|free)\b
      |\S+\s+(?:-{1,2}version|-V|-v|--help|-dumpmachine|-dumpversion|-print-\S+|--cflags|--libs)\b
    )[^;&|`$<>]*(?:2>\s*(?:/dev/null|&1))?\s*$""",
    re.VERBOSE | re.IGNORECASE,
)
"""Commands that ask the machine a question: builds, version look-ups, terminals."""
