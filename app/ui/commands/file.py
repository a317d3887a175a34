"""The project and the program."""

from __future__ import annotations

from app.ui.commands.command import Command

FILE_COMMANDS: tuple[Command, ...] = (
    Command(id="new_project", text="New project…", tip="Make a project in a folder of its own", menu="File",
            shortcuts=("Ctrl+N",), icon="new-project"),
    Command(id="open", text="Open project…", tip="Open a project folder", menu="File", shortcuts=("Ctrl+O",),
            icon="open"),
    Command(id="recent", text="Recent projects…", tip="Choose one of the projects that were open lately", menu="File",
            shortcuts=("Ctrl+Shift+O",), icon="recent"),
    Command(id="demo", text="Demo project", tip="Open the project of synthetic radiographs", menu="File", icon="demo"),
    Command(id="import_files", text="Import files…",
            tip="Import radiographs: DICOM, PNG, TIFF, zip archives, a DICOMDIR", menu="File", shortcuts=("Ctrl+I",),
            has_separator=True, icon="import"),
    Command(id="import_folder", text="Import folder…", tip="Import everything in a folder and in the folders below",
            menu="File", shortcuts=("Ctrl+Shift+I",), icon="import-folder"),
    Command(id="import_table", text="Import with a table…",
            tip="Import images with a CSV file that names patients, sides and labels", menu="File",
            icon="import-table"),
    Command(id="paste_files", text="Paste files", tip="Import the files that were copied in the file manager",
            menu="File", shortcuts=("Ctrl+V",), icon="paste-files"),
    Command(id="show_report", text="Import report", tip="What the last import came to, file by file", menu="File",
            needs="report", icon="show-report"),
    Command(id="export", text="Export…", menu="File", shortcuts=("Ctrl+E",), needs="project", is_checkable=True,
            tip="Make a data set for others of the listed cases: what, in which format, without anything identifying",
            has_separator=True, icon="export"),
    Command(id="merge_project", text="Merge project…", menu="File", needs="writable project", icon="merge",
            tip="Bring everything that another annotator's copy of the project, or a Coxa export, has come to into "
                "this one; shows first what would come"),
    Command(id="show_merge_report", text="Merge report", menu="File", needs="merge report", icon="show-report",
            tip="What the last merge brought, and on what readers disagree"),
    Command(id="project_properties", text="Project properties", tip="Place, counts, disk use and backups",
            menu="File", shortcuts=("Alt+Return",), needs="project", has_separator=True, icon="project-properties"),
    Command(id="back_up", text="Back up now", tip="Make a verified backup of the database", menu="File",
            needs="project", icon="back-up"),
    Command(id="check_project", text="Check project", tip="Look whether everything is as it was written", menu="File",
            needs="project", icon="check-project"),
    Command(id="close_project", text="Close project", tip="Close the project and go back to the start page",
            menu="File", shortcuts=("Ctrl+W",), needs="project", icon="close-project"),
    Command(id="quit", text="Quit", tip="Close the window", menu="File", shortcuts=("Ctrl+Q",), has_separator=True,
            icon="quit"),
)  # fmt: skip
