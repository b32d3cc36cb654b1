/*
 * wrapper - stands in ROOT/bin for a program in ROOT/real, and starts that one with the shim
 *
 * spawnd gives an empty environment to what it starts, so the way in is by the name that it starts.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REFUSED = 111 };

/* Cuts the last part of a path off and returns it. */
static const char *cut_last(char *path)
{
    char *slash = strrchr(path, '/');
    if (!slash)
        _exit(REFUSED);
    *slash = '\0';
    return slash + 1;
}

int main(int argc, char **argv)
{
    char root[PATH_MAX], path[PATH_MAX + NAME_MAX];
    ssize_t size = readlink("/proc/self/exe", root, sizeof root - 1);
    if (size <= 0 || argc < 1)
        return REFUSED;
    root[size] = '\0';
    const char *name = cut_last(root);
    cut_last(root);
    snprintf(path, sizeof path, "%s/fault/shim.so", root);
    if (setenv("LD_PRELOAD", path, 1) < 0)
        return REFUSED;
    snprintf(path, sizeof path, "%s/fault/log", root);
    if (setenv("FAULT_LOG", path, 1) < 0)
        return REFUSED;
    snprintf(path, sizeof path, "%s/real/%s", root, name);
    execv(path, argv);
    return REFUSED;
}
