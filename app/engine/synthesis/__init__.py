"""Finished synthetic studies: radiographs, DICOM objects and truth files, made from the phantom's parts."""
