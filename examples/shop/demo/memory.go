package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// memory watches the resident memory of the processes below this one.
type memory struct {
	quit chan struct{}
	wg   sync.WaitGroup
	peak int64
}

func watchMemory() *memory {
	m := &memory{quit: make(chan struct{})}
	m.wg.Go(func() {
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-m.quit:
				return
			case <-tick.C:
				m.peak = max(m.peak, resident(os.Getpid()))
			}
		}
	})
	return m
}

// stop ends watching and returns the peak in bytes; 0 where /proc is not there.
func (m *memory) stop() int64 {
	close(m.quit)
	m.wg.Wait()
	return m.peak
}

// resident sums the resident memory of all descendants of a process.
func resident(of int) int64 {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	children, size := map[int][]int{}, map[int]int64{}
	for _, path := range stats {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // it ended meanwhile
		}
		text := string(b)
		end := strings.LastIndexByte(text, ')')
		if end < 0 {
			continue
		}
		fields := strings.Fields(text[end+1:])
		pid, err1 := strconv.Atoi(strings.Fields(text)[0])
		parent, err2 := strconv.Atoi(fields[1])
		pages, err3 := strconv.ParseInt(fields[21], 10, 64)
		if err1 != nil || err2 != nil || err3 != nil {
			continue
		}
		children[parent] = append(children[parent], pid)
		size[pid] = pages * int64(os.Getpagesize())
	}
	var sum func(int) int64
	sum = func(pid int) int64 {
		total := int64(0)
		for _, c := range children[pid] {
			total += size[c] + sum(c)
		}
		return total
	}
	return sum(of)
}
