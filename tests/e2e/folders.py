"""Reading query folders."""

import os
import stat


def listing(folder):
    """(results {name: stat}, facet folders) of a query folder."""
    results, facets = {}, []
    with os.scandir(folder) as entries:
        for entry in entries:
            st = entry.stat(follow_symlinks=False)
            if entry.name == ".pxs":
                assert stat.S_ISDIR(st.st_mode)
            elif entry.is_dir(follow_symlinks=False):
                facets.append(entry.name)
            else:
                assert entry.name not in results
                results[entry.name] = st
    return results, facets


def path_of(folder, name):
    return os.getxattr(os.path.join(folder, name), "user.pxs.path")
