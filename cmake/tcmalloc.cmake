# The allocator's tables are 3.5 MiB, new memory of the system, which it sets to nought though it is: every page of them is
# touched at each start, and stays. The copy of the library that the program is linked with calls core/allocator there,
# which leaves alone what nobody has touched. brume_tcmalloc(VARIABLE): its path.
function(brume_tcmalloc variable)
  set(directory ${CMAKE_BINARY_DIR}/tcmalloc)
  set(library ${directory}/libtcmalloc_minimal.a)
  if(NOT EXISTS ${library} OR ${STATIC_TCMALLOC} IS_NEWER_THAN ${library})
    file(REMOVE_RECURSE ${directory})
    file(MAKE_DIRECTORY ${directory})
    execute_process(COMMAND ${CMAKE_AR} x ${STATIC_TCMALLOC} WORKING_DIRECTORY ${directory} COMMAND_ERROR_IS_FATAL ANY)
    file(GLOB tables ${directory}/*page_heap.*o)
    foreach(object ${tables})
      execute_process(COMMAND ${CMAKE_OBJCOPY} --redefine-sym memset=brume_set_new_memory ${object}
        COMMAND_ERROR_IS_FATAL ANY)
    endforeach()
    file(GLOB objects ${directory}/*.o)
    execute_process(COMMAND ${CMAKE_AR} rcs ${library} ${objects} COMMAND_ERROR_IS_FATAL ANY)
  endif()
  set(${variable} ${library} PARENT_SCOPE)
endfunction()
