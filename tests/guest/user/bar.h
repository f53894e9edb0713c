/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ways in which a process gets at a device's memory.
 */
#ifndef _BAR_H
#define _BAR_H

#include <err.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* GROUP:DEVICE:REGION of VFIO, without an IOMMU. Return: a file, and the offset in it. */
static inline int open_vfio(char *name, off_t *offset)
{
	char *device = strchr(name, ':'), *region = strrchr(name, ':');
	struct vfio_region_info info = { .argsz = sizeof(info) };
	int container, group, fd;

	*device++ = 0;
	*region++ = 0;
	container = open("/dev/vfio/vfio", O_RDWR);
	group = open(name, O_RDWR);
	if (container < 0 || group < 0 ||
	    ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) ||
	    ioctl(container, VFIO_SET_IOMMU, VFIO_NOIOMMU_IOMMU))
		err(1, "%s", name);
	fd = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, device);
	info.index = atoi(region);
	if (fd < 0 || ioctl(fd, VFIO_DEVICE_GET_REGION_INFO, &info))
		err(1, "VFIO %s %s", device, region);
	*offset = info.offset;
	return fd;
}

/**
 * map_bar_as - map a device
 * @name: FILE, FILE@OFFSET (in hexadecimal), or vfio=GROUP:DEVICE:REGION
 * @at:	  where, or NULL for anywhere
 * @size: how much
 * @flags: MAP_SHARED, or MAP_PRIVATE
 */
static inline void *map_bar_as(const char *name, void *at, size_t size, int flags)
{
	char *copy = strdup(name), *where = strchr(copy, '@');
	off_t offset = 0;
	void *bar;
	int fd;

	if (!strncmp(copy, "vfio=", 5)) {
		fd = open_vfio(copy + 5, &offset);
	} else {
		if (where) {
			offset = strtoul(where + 1, NULL, 16);
			*where = 0;
		}
		fd = open(copy, O_RDWR | O_SYNC);
	}
	if (fd < 0)
		err(1, "%s", name);
	bar = mmap(at, size, PROT_READ | PROT_WRITE, flags | (at ? MAP_FIXED : 0), fd, offset);
	if (bar == MAP_FAILED)
		err(1, "mmap %s", name);
	free(copy);
	return bar;
}

/* The same, shared. */
static inline void *map_bar(const char *name, void *at, size_t size)
{
	return map_bar_as(name, at, size, MAP_SHARED);
}

/**
 * map_memory - map memory that begins where a table of PTEs does
 * @size: how much
 */
static inline uint8_t *map_memory(size_t size)
{
	const uintptr_t huge = 2UL << 20;
	uint8_t *p = mmap(NULL, size + huge, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		err(1, "mmap");
	return (uint8_t *)(((uintptr_t)p + huge - 1) & -huge);
}

#endif /* _BAR_H */
