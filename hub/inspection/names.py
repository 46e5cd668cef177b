"""What the ending of a file's name says: programs, scripts, documents with macros, archives."""

from __future__ import annotations

from crm_core.model.file_warning import FileWarning

_EXECUTABLE_WORDS = """apk app appimage appx appxbundle cab chm com cpl deb dll dmg dylib elf exe gadget img iso jar lnk
msi msix msp ocx pif pkg reg rpm scf scr so sys url vhd vhdx xapk xll"""
_SCRIPT_WORDS = """bash bat cmd csh hta inf ins jnlp js jse job ksh mjs php pl ps1 ps1xml ps2 psc1 psd1 psm1 py pyc pyw
rb sct sh shb shs vb vbe vbs workflow ws wsc wsf wsh xbap zsh"""
_MACRO_WORDS = "accde accdr docm dotm mde potm ppam ppsm pptm sldm xlam xlsb xlsm xltm"
_ARCHIVE_WORDS = "7z ace arj br bz2 gz lha lz lz4 lzh lzma rar tar tbz2 tgz txz xz z zip zipx zst"
_EXECUTABLE = frozenset(_EXECUTABLE_WORDS.split())
_SCRIPT = frozenset(_SCRIPT_WORDS.split())
_MACROS = frozenset(_MACRO_WORDS.split())
ARCHIVES = frozenset(_ARCHIVE_WORDS.split())
DOCUMENTS = frozenset({"docx", "xlsx", "pptx", "odt", "ods", "odp", "epub"})


def ending(name: str) -> str:
    """The last ending of a name in small letters, without its dot; what Windows drops from a name is dropped."""
    return name.rstrip(". ").rpartition(".")[2].strip().lower() if "." in name else ""


def by_ending(name: str) -> set[FileWarning]:
    """What the ending alone warns of."""
    last = ending(name)
    found = set()
    for warning, endings in (
        (FileWarning.EXECUTABLE, _EXECUTABLE),
        (FileWarning.SCRIPT, _SCRIPT),
        (FileWarning.MACROS, _MACROS),
    ):
        if last in endings:
            found.add(warning)
    return found
