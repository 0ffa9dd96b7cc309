/* version.h: the version of tern, for C and C++. The one place that says it: CMake, pkg-config and the command read it here. */
#ifndef TERN_VERSION_H
#define TERN_VERSION_H

#define TERN_VERSION_MAJOR 0
#define TERN_VERSION_MINOR 1
#define TERN_VERSION_PATCH 0

#define TERN_VERSION_TEXT(number) TERN_VERSION_QUOTED(number)
#define TERN_VERSION_QUOTED(number) #number
/* "0.1.0" */
#define TERN_VERSION TERN_VERSION_TEXT(TERN_VERSION_MAJOR) "." TERN_VERSION_TEXT(TERN_VERSION_MINOR) "." TERN_VERSION_TEXT(TERN_VERSION_PATCH)

#endif
