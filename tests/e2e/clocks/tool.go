// `waits SECONDS FILE`: every way in which Go waits, at once; prints as waits.c does. `watch FILE`: reads the clocks until
// the file is there, and ends with 1 when one ran backwards.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"
)

func machine(path string) time.Time {
	_ = os.WriteFile(path, nil, 0o600)
	status, err := os.Stat(path)
	if err != nil {
		panic(err)
	}
	return status.ModTime()
}

func waits(span time.Duration, path string) {
	kinds := map[string]func(){
		"go_sleep":   func() { time.Sleep(span) },
		"go_after":   func() { <-time.After(span) },
		"go_context": func() { c, cancel := context.WithTimeout(context.Background(), span); defer cancel(); <-c.Done() },
		"go_ticks": func() {
			ticker := time.NewTicker(span / 10)
			for i := 0; i < 10; i++ {
				<-ticker.C
			}
		},
	}
	var all sync.WaitGroup
	for name, wait := range kinds {
		all.Add(1)
		go func() {
			defer all.Done()
			file := path + "." + name
			real, begun := machine(file), time.Now()
			wait()
			took := time.Since(begun)
			fmt.Printf("%s %.3f %.3f %.3f\n", name, took.Seconds(), time.Now().Round(0).Sub(begun.Round(0)).Seconds(), machine(file).Sub(real).Seconds())
			os.Remove(file)
		}()
	}
	all.Wait()
}

func watch(path string) {
	last, calendar, readings := time.Now(), time.Now().UnixNano(), 0
	for {
		if _, err := os.Stat(path); err == nil {
			fmt.Println(readings, "readings")
			return
		}
		for i := 0; i < 1000; i++ {
			now := time.Now()
			if now.Sub(last) < 0 || now.UnixNano() < calendar {
				fmt.Println("a clock ran back", now.Sub(last), now.UnixNano()-calendar)
				os.Exit(1)
			}
			last, calendar = now, now.UnixNano()
			readings++
		}
		time.Sleep(3 * time.Millisecond)
	}
}

func main() {
	fmt.Println("begun")
	if os.Args[1] == "watch" {
		watch(os.Args[2])
		return
	}
	seconds, _ := strconv.Atoi(os.Args[2])
	waits(time.Duration(seconds)*time.Second, os.Args[3])
}
